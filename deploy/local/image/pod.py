"""What the images do when they run: in a network of their own, each from its read-only root as its own user. Called by `__main__`
within new network and process namespaces, where every port is free."""
from __future__ import annotations

import fcntl
import json
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def loopback_up():
    """A new network namespace has its loopback interface down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))


def until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("error: %s: not within %d s" % (what, seconds))
        time.sleep(0.05)


def status(url):
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


def main():
    """Reads what to run from standard input: {name: {before, run, check}}, command lines all of them, in order."""
    images = json.load(sys.stdin)
    loopback_up()
    processes = {}
    for name, image in images.items():
        for words in image["before"]:
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        begun = time.monotonic()
        processes[name] = subprocess.Popen(image["run"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(lambda: subprocess.run(image["check"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, check=False).returncode == 0, name + " to be healthy")
        print("  %-16s healthy after %.0f ms" % (name, (time.monotonic() - begun) * 1000), flush=True)
    until(lambda: status("http://127.0.0.1:8080/health") == 200, "a call through postern")
    if status("http://127.0.0.1:8080/api/v1/trades") != 401:
        raise SystemExit("error: a call without a token was not refused")
    print("  a call through postern reaches trading-demo, one without a token does not", flush=True)
    for name, process in reversed(processes.items()):
        process.terminate()
        if process.wait(40) != 0:
            raise SystemExit("error: %s ended with %d" % (name, process.returncode))
    print("  all of them ended with 0", flush=True)


if __name__ == "__main__":
    main()
