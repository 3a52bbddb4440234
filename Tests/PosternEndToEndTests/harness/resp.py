"""A client of Redis by its wire protocol (RESP2), and what the tests do with it: look, tamper, publish."""
from __future__ import annotations

import json
import socket
import time


class RedisError(Exception):
    """An error reply."""


def command(*parts):
    """The bytes of one command. Parts are bytes, str or numbers."""
    parts = [each if isinstance(each, bytes) else str(each).encode("utf-8") for each in parts]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in parts)


class Redis:
    """One connection. Bulk strings come as bytes, statuses as str, nil as None; an error reply is raised."""

    def __init__(self, port, password=None, user=None, database=0, timeout=5.0, context=None, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
        self.buffer = b""
        if password is not None:
            self.do("AUTH", *([user] if user else []), password)
        if database:
            self.do("SELECT", database)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def do(self, *parts):
        """The reply to one command."""
        return self.pipeline([parts])[0]

    def pipeline(self, commands):
        """The replies to several commands that are sent in one write; the first error reply is raised."""
        self.sock.sendall(b"".join(command(*each) for each in commands))
        replies = [self._reply() for _ in commands]
        for each in replies:
            if isinstance(each, RedisError):
                raise each
        return replies

    def _fill(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionError("Redis closed the connection")
        self.buffer += data

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _reply(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode("utf-8")
        if kind == b"-":
            return RedisError(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None
            while len(self.buffer) < length + 2:
                self._fill()
            data, self.buffer = self.buffer[:length], self.buffer[length + 2 :]
            return data
        if kind == b"*":
            return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]
        raise AssertionError("not RESP2: %r" % line)

    # Looking

    def keys(self):
        """Every key of the selected database."""
        found, cursor = [], b"0"
        while True:
            cursor, part = self.do("SCAN", cursor, "COUNT", 1000)
            found += part
            if cursor == b"0":
                return sorted(set(found))

    def content(self, key):
        """All that a key holds, whatever its type, as bytes in one row."""
        kind = self.do("TYPE", key)
        reads = {
            "string": ("GET", key), "list": ("LRANGE", key, 0, -1), "set": ("SMEMBERS", key), "hash": ("HGETALL", key),
            "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"), "stream": ("XRANGE", key, "-", "+"),
        }
        return flat(self.do(*reads[kind])) if kind in reads else b""

    def dump(self):
        """{key: content} of the selected database."""
        return {key: self.content(key) for key in self.keys()}

    def info(self, section, name):
        """One field of INFO."""
        lines = self.do("INFO", section).decode("utf-8").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)[name]


def flat(value):
    """The bytes of a reply of any nesting, joined."""
    if isinstance(value, list):
        return b"\0".join(flat(each) for each in value)
    return value if isinstance(value, bytes) else str(value).encode("utf-8")


def revoke(redis, member, lifetime=3600, prefix="postern:", publish=True):
    """What an issuer does to revoke (3-behaviour, Revocation): the sorted set first, then the channel. `member` is a
    mapping, or literal text. Returns the monotonic time just before the message was published."""
    text = member if isinstance(member, (str, bytes)) else json.dumps(member, separators=(",", ":"))
    name = prefix + "revocations"
    redis.do("ZADD", name, "%d" % (time.time() + lifetime), text)
    moment = time.monotonic()
    if publish:
        redis.do("PUBLISH", name, text)
    return moment
