"""The Redis behind the rows that ask an issuer: started for each of them, and asked how much it holds."""
from __future__ import annotations

import socket

from .figures import Unusable
from .processes import Child, free_port


class Redis:
    """A redis-server without persistence; a context manager."""

    def __init__(self, program, name, folder, cores):
        self.port = free_port()
        self.child = Child(name + "-redis", [
            program, "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
            folder, cores)
        try:
            self.child.await_port(self.port)
        except BaseException:
            self.child.stop()
            raise

    def stop(self):
        self.child.stop()

    def ask(self, line):
        """The reply, one line of RESP, to an inline command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(line.encode("ascii") + b"\r\n")
            data = b""
            while not data.endswith(b"\r\n"):
                more = sock.recv(4096)
                if not more:
                    raise Unusable("Redis closed the connection")
                data += more
        if data[:1] not in (b"+", b":"):
            raise Unusable("Redis answered %r to %s" % (data[:100], line))
        return data[1:-2].decode("ascii")

    def size(self):
        """How many keys it holds."""
        return int(self.ask("DBSIZE"))

    def empty(self):
        self.ask("FLUSHALL")
