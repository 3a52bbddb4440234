"""postern-issuer as it is measured: bootstrapped over SQLite, with a client, a user and a service key, on a core of its own."""
from __future__ import annotations

import http.client
import json
import subprocess
import urllib.parse

from endtoend.figures import Unusable
from endtoend.processes import Child, free_port

CLIENT, KEY, USER = "bench-client", "bench-key", {"username": "bench", "password": "a password for the bench"}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def form(fields):
    return urllib.parse.urlencode(fields).encode()


def literal(port, path, kind, body, *lines):
    """The bytes of a POST request, for wrk to send as they are."""
    head = ["POST %s HTTP/1.1" % path, "Host: 127.0.0.1:%d" % port, "Content-Type: " + kind, "Content-Length: %d" % len(body),
            *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


class Server:
    """A context manager. `requests` are those to be measured, by name: literal bytes that are answered with 200 as often as
    they are sent."""

    def __init__(self, program, folder, cores, algorithm):
        self.algorithm = algorithm
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        folder.mkdir()
        store = ["--store", "sqlite:%s" % (folder / "issuer.sqlite"), "--algorithm", algorithm]
        done = subprocess.run([str(program), "bootstrap", *store], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", timeout=60)
        if done.returncode != 0:
            raise Unusable("postern-issuer bootstrap: %s" % done.stderr.strip()[-300:])
        admin = dict(each.split("=", 1) for each in done.stdout.split() if "=" in each)
        self.child = Child("issuer-" + algorithm, [
            program, "run", "--listen", "127.0.0.1:%d" % self.port, "--issuer", self.url, "--audience", "bench",
            "--log-level", "warning", *store], folder, cores)
        try:
            self.child.await_port(self.port)
            self.requests = self._prepare(admin)
        except BaseException:
            self.child.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stop()

    def _prepare(self, admin):
        token = self._ask("/api/v1/auth/service-token", FORM, form(admin))["access_token"]
        bearer = "Bearer " + token
        secret = self._ask("/api/v1/admin/service-clients", JSON, json.dumps({
            "client_id": CLIENT, "scope_ids": ["trade:read", "account:read", "market:data"],
            "rate_limit_per_minute": 1_000_000, "rate_limit_per_hour": 100_000_000}).encode(), bearer, 201)["client_secret"]
        key = self._ask("/auth/service-keys", JSON, json.dumps({"name": KEY}).encode(), bearer, 201)["api_key"]
        self._ask("/api/v1/admin/users", JSON, json.dumps(dict(
            USER, email_verified=True, permissions=["trade:read"], roles=["trader"])).encode(), bearer, 201)
        grant = form({"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": secret})
        mine = self._ask("/oauth/token", FORM, grant)["access_token"]
        users = self._ask("/auth/login", JSON, json.dumps(USER).encode())["access_token"]
        line = "Authorization: Bearer " + key
        return {
            "token": literal(self.port, "/oauth/token", FORM, grant),
            "hecate": literal(self.port, "/auth/introspect", JSON, json.dumps({"token": users}).encode(), line),
            "rfc7662-user": literal(self.port, "/oauth/introspect", FORM, form({"token": users}), line),
            "rfc7662-client": literal(self.port, "/oauth/introspect", FORM, form({"token": mine}), line),
        }

    def _ask(self, path, kind, body, authorization=None, status=200):
        """The members of a good answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": kind}
        if authorization:
            headers["Authorization"] = authorization
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status != status:
            raise Unusable("postern-issuer answered %s with %d: %r" % (path, answer.status, data[:300]))
        return json.loads(data)
