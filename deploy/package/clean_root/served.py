"""Starts what the unit starts, in a network of its own, and asks it. Called by `__main__`."""
from __future__ import annotations

import json
import subprocess
import sys

from image.pod import loopback_up, status, until


def main():
    """Reads command lines from standard input: {before, run, check}."""
    words = json.load(sys.stdin)
    loopback_up()
    subprocess.run(words["before"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(words["run"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    until(lambda: subprocess.run(words["check"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 check=False).returncode == 0, "postern to be healthy")
    if status("http://127.0.0.1:8080/api/v1/trades") not in (401, 503):
        raise SystemExit("error: a call without a token was not refused")
    print("  as the unit starts it: healthy, and a call without a token is refused", flush=True)
    process.terminate()
    if process.wait(40) != 0:
        raise SystemExit("error: postern ended with %d" % process.returncode)


if __name__ == "__main__":
    main()
