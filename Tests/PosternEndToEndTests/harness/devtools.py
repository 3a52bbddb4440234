"""A headless Chromium that is driven by its DevTools protocol: pages are opened, typed into, looked at and photographed."""
from __future__ import annotations

import base64
import contextlib
import json
import re
import subprocess

from websockets.sync.client import connect

from .browser import end, find
from .net import wait_until

# A name that a browser here takes for this machine's, as if a stranger had pointed it here.
FOREIGN = "postern.example.com"

# name: (key code, the text that the key makes)
KEYS = {"Tab": (9, None), "Enter": (13, "\r"), "Escape": (27, None), "ArrowDown": (40, None), "ArrowRight": (39, None)}


class Browser:
    """One browser process with a profile of its own. `hosts` maps names to addresses, as a resolver would."""

    def __init__(self, folder, hosts=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        rules = ", ".join("MAP %s %s" % pair for pair in (hosts or {}).items())
        self.log = open(folder / "browser.log", "wb")
        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--host-resolver-rules=" + rules, "--remote-debugging-port=0",
             "--user-data-dir=%s" % (folder / "profile"), "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.resources = contextlib.ExitStack()
        try:
            address = wait_until(self._address, 20, "the browser to listen")
            self.socket = self.resources.enter_context(connect(address, max_size=64 << 20, compression=None))
        except BaseException:
            self.stop()
            raise
        self.number = 0
        self.tabs = {}

    def _address(self):
        text = (self.folder / "browser.log").read_text("utf-8", "replace")
        assert self.process.poll() is None, "the browser ended\n" + text[-3000:]
        found = re.search(r"DevTools listening on (ws://\S+)", text)
        return found and found.group(1)

    def stop(self):
        self.resources.close()
        end(self.process)
        self.log.close()

    def send(self, method, session=None, timeout=20, **parameters):
        """One command; returns its result. Events that come meanwhile go to their tabs."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=timeout))
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self._event(answer)

    def _event(self, message):
        tab = self.tabs.get(message.get("sessionId"))
        if tab is not None and "method" in message:
            tab.events.append((message["method"], message["params"]))

    def open(self, url, **arguments):
        return Tab(self, url, **arguments)


class Tab:
    """One page. `events` are those of the protocol, as they came."""

    def __init__(self, browser, url, dark=False, width=1280, height=900, reduced_motion=False):
        self.browser = browser
        self.events = []
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.tabs[self.session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"}])
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def evaluate(self, expression):
        """The value of an expression of JavaScript; a promise is awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression, timeout=10):
        return wait_until(lambda: self.evaluate(expression), timeout, expression)

    def text(self, selector):
        """What a person reads there."""
        return self.evaluate("document.querySelector(%s).innerText" % json.dumps(selector))

    def press(self, key, shift=False):
        code, text = KEYS[key]
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.send("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        """Into what has the focus, in place of what is in it."""
        self.evaluate("document.activeElement.select()")
        self.send("Input.insertText", text=text)

    def screenshot(self, path, width=None, height=None):
        """Writes a PNG of the top of the page; by default of the window."""
        clip = {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}} if width else {}
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=bool(width), **clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def problems(self):
        """What the console has to say that is not mere information, exceptions included."""
        self.evaluate("0")
        found = []
        for method, event in self.events:
            if method == "Runtime.exceptionThrown":
                found.append(event["exceptionDetails"])
            elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
                found.append(event["entry"])
            elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning", "assert"):
                found.append(event)
        return found

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def requested(self):
        """The URLs of all requests."""
        return [event["request"]["url"] for method, event in self.events if method == "Network.requestWillBeSent"]


def status_page(browser, url, **arguments):
    """A status page that has shown its first figures, and gets further ones by `poll()` alone."""
    tab = browser.open(url, **arguments)
    tab.until("typeof readings !== 'undefined' && readings.last !== undefined && !asking")
    tab.evaluate("document.getElementById('every').value = '0'; schedule()")
    return tab
