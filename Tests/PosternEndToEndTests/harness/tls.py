"""Clients and services that speak TLS by OpenSSL (Python's ssl), and see how a connection ends."""
from __future__ import annotations

import socket
import ssl
import threading

from .raw import RawClient
from .upstream import Connection, RecordingUpstream


def client_context(authority, identity=None, version=None):
    """Trusts `authority` alone; shows `identity` (certificate file, key file) if asked; speaks one version only."""
    context = ssl.create_default_context(cafile=str(authority.ca))
    if identity:
        context.load_cert_chain(*map(str, identity))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def server_context(identity, client_authority=None):
    """Shows `identity`; with `client_authority` clients must have a certificate by it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, identity))
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(client_authority.ca))
    return context


class TLSClient(RawClient):
    """A client over TLS. At the end `ragged` says whether the peer ended without close_notify, `reset` with a reset."""

    def __init__(self, port, context, timeout=5.0, name="localhost", session=None):
        super().__init__(port, timeout)
        self.ragged = False
        try:
            self.sock = context.wrap_socket(
                self.sock, server_hostname=name, suppress_ragged_eofs=False, session=session)
        except BaseException:
            self.sock.close()
            raise

    def _fill(self):
        try:
            return super()._fill()
        except ssl.SSLEOFError:
            self.ragged = self.eof = True
            return False

    @property
    def ended_well(self):
        return self.eof and not self.ragged and not self.reset


class HalfClosingClient(RawClient):
    """A client over TLS that can say goodbye (close_notify) and go on reading, and that tells a reset from an end without
    close_notify (`reset` and `ragged`), which ssl's sockets cannot."""

    def __init__(self, port, context, timeout=10.0):
        super().__init__(port, timeout)
        self.ragged = False
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self.incoming.write(self.sock.recv(1 << 16))
        self._flush()

    def _flush(self):
        self.sock.sendall(self.outgoing.read())

    def send(self, data):
        self.tls.write(data)
        self._flush()
        return self

    def say_goodbye(self):
        """Sends close_notify; the peer may still send."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def _fill(self):
        while True:
            try:
                data = self.tls.read(1 << 18)
            except ssl.SSLWantReadError:
                data = None
            except ssl.SSLZeroReturnError:
                data = b""
            except ssl.SSLEOFError:
                data, self.ragged = b"", True
            if data is not None:
                self.eof = not data
                self.buffer += data
                return bool(data)
            try:
                more = self.sock.recv(1 << 18)
            except ConnectionResetError:
                self.reset, more = True, b""
            if more:
                self.incoming.write(more)
            else:
                self.incoming.write_eof()


class _TLSConnection(Connection):
    """`polite` connections end with close_notify, others just end; as do those that another thread than their own closes,
    since OpenSSL serves one at a time."""

    polite = True
    thread = None

    def close(self, reset=False):
        if self.closed:
            return
        if self.polite and not reset and self.thread == threading.get_ident():
            try:
                self.sock.settimeout(1)
                self.sock.unwrap()
            except (OSError, ValueError):
                pass
        super().close(reset)


class TLSUpstream(RecordingUpstream):
    """A service behind https. `failures` holds what its side says of handshakes that failed; `certificates` the peers'."""

    connection_class = _TLSConnection

    def __init__(self, context, name="127.0.0.1"):
        self.context, self.failures, self.certificates = context, [], []
        super().__init__()
        self.url = "https://%s:%d" % (name, self.port)

    def _serve(self, connection):
        try:
            connection.sock.settimeout(10)
            connection.sock = self.context.wrap_socket(connection.sock, server_side=True)
            connection.sock.settimeout(None)
            connection.thread = threading.get_ident()
        except (OSError, ValueError) as error:
            self.failures.append(error)
            connection.close(reset=False)
            return
        self.certificates.append(connection.sock.getpeercert())
        super()._serve(connection)


def ragged_end(exchange):
    """Closes the service's connection as a crash does: without close_notify."""
    exchange.connection.polite = False
    exchange.connection.sock.shutdown(socket.SHUT_RDWR)
    exchange.close()
