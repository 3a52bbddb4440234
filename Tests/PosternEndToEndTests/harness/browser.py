"""A headless Chromium with a page that calls across origins: what JavaScript gets to see, as a browser decides it."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")

# Calls each URL in turn, and says for each what a script could read: status, body, headers; or that it could read nothing.
PAGE = """<!doctype html><title>calls</title><script>
const calls = %s;
(async () => {
  const results = [];
  for (const [url, options] of calls) {
    try {
      const answer = await fetch(url, options);
      results.push({status: answer.status, body: await answer.text(), headers: Object.fromEntries(answer.headers)});
    } catch (error) {
      results.push({error: error.name});
    }
  }
  await fetch("/results", {method: "POST", body: JSON.stringify(results)});
})();
</script>"""


def find():
    """The path of a browser; None if this machine has none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def end(browser):
    """Ends a browser that was started in a session of its own: what is started by its name may be a script, which would leave the
    browser behind."""
    os.killpg(browser.pid, signal.SIGTERM)
    try:
        browser.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait(10)


class Page:
    """An origin of its own on 127.0.0.1 with one page. `origin` is what browsers send for it."""

    def __init__(self):
        self.calls = []
        self.results = None
        self.arrived = threading.Event()
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = (PAGE % json.dumps(page.calls)).encode() if self.path == "/" else b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                page.results = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()
                page.arrived.set()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def visit(self, folder, *calls, timeout=60):
        """Opens the page in a browser of its own and returns what its script saw of each (URL, options of fetch)."""
        self.calls = list(calls)
        self.arrived.clear()
        with open(folder / "browser.log", "wb") as log:
            browser = subprocess.Popen(
                [find(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
                 "--remote-debugging-port=0", "--user-data-dir=%s" % (folder / "profile"), self.origin + "/"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
            try:
                assert self.arrived.wait(timeout), "no results\n" + (folder / "browser.log").read_text("utf-8", "replace")[-3000:]
            finally:
                end(browser)
        return self.results
