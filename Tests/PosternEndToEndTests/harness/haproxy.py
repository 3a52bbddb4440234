"""HAProxy as a load balancer in front of postern: it relays bytes, and says whose they are in a PROXY header."""
from __future__ import annotations

import shutil
import socket
import subprocess

import pytest

from .net import free_port, wait_until

CONFIG = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen one
    bind 127.0.0.1:%d
    server postern 127.0.0.1:%d %s
"""


class Relay:
    """A running HAProxy that relays connections to `port` with a header of the given `option` (send-proxy, …)."""

    def __init__(self, folder, port, option):
        binary = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
        if binary is None:
            pytest.skip("haproxy is not installed")
        self.port = free_port()
        file = folder / "haproxy.cfg"
        file.write_text(CONFIG % (self.port, port, option))
        self.out = open(folder / "haproxy.out", "wb")
        self.process = subprocess.Popen([binary, "-db", "-f", str(file)], stdout=self.out, stderr=self.out)
        wait_until(self._listens, 5, "haproxy to listen")

    def _listens(self):
        assert self.process.poll() is None, "haproxy ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(5)
        self.out.close()
