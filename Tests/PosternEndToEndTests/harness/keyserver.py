"""An issuer's key endpoint over HTTP, programmable and counting."""
from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class KeyServer:
    """Serves `/jwks` (and the metadata for `discover`). Change the attributes at any time."""

    def __init__(self, *keys):
        self.keys = list(keys)
        self.status = 200
        self.delay = 0.0
        self.body = None  # bytes instead of the key set
        self.fields = {}
        self.requests = []  # (time, path, headers)
        self.served = threading.Event()
        self.issuer = None  # what the metadata says; default: this server's URL
        self.jwks_uri = None
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner._serve(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def fetches(self, path="/jwks"):
        return len([each for each in self.requests if each[1] == path])

    def _serve(self, handler):
        self.requests.append((time.monotonic(), handler.path, dict(handler.headers)))
        if self.delay:
            time.sleep(self.delay)
        if handler.path == "/jwks":
            status, body = self.status, self.body
            if body is None:
                body = json.dumps({"keys": [each.jwk() for each in self.keys]}).encode()
        elif handler.path.startswith("/.well-known/"):
            status = 200
            body = json.dumps(
                {"issuer": self.issuer or self.url, "jwks_uri": self.jwks_uri or self.url + "/jwks"}
            ).encode()
        else:
            status, body = 404, b"{}"
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(body)))
            for name, value in self.fields.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True
        self.served.set()
