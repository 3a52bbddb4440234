"""The reference flow, as its callers see it: tokens, calls through the Posterns, revocation."""
from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request

# Loopback only: whatever proxy the caller's environment names is not meant.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Answer:
    """One HTTP answer: `status`, `headers`, `text`."""

    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.read().decode()

    def json(self):
        return json.loads(self.text)


def send(method, url, token=None, body=None, form=None, headers=None):
    """The answer to one request; `body` goes as JSON."""
    headers, data = dict(headers or {}), None
    if token:
        headers["Authorization"] = "Bearer " + token
    if body is not None:
        headers["Content-Type"], data = "application/json", json.dumps(body).encode()
    elif form is not None:
        data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with _opener.open(request, timeout=10) as answer:
            return Answer(answer)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error)


class Flow:
    """What callers do to a running `Topology`."""

    def __init__(self, topology):
        self.topology = topology
        self.issuer = topology.url("issuer", 8000)

    def token(self, client="trading-dashboard", **fields):
        """A service token of a client."""
        answer = send("POST", self.issuer + "/api/v1/auth/service-token",
                      form=dict({"client_id": client, "client_secret": self.topology.secret(client)}, **fields))
        assert answer.status == 200, answer.text
        return answer.json()["access_token"]

    def login(self, user="alice"):
        """An access token of a person."""
        answer = send("POST", self.issuer + "/auth/login", body={"username": user, "password": self.topology.secret(user)})
        assert answer.status == 200, answer.text
        return answer.json()["access_token"]

    def call(self, service, method, path, token=None, **content):
        """One call of a service through its Postern: `service` is a name of that Postern."""
        return send(method, self.topology.url(service, 8080) + path, token, **content)

    def revoke(self, token, client="trading-dashboard"):
        """The client ends its own token, at the issuer."""
        answer = send("POST", self.issuer + "/oauth/revoke", form={
            "client_id": client, "client_secret": self.topology.secret(client), "token": token})
        assert answer.status == 200, answer.text

    def until_refused(self, services, method, path, token, seconds=5):
        """How long it took, in seconds, until each of these refused the token; asserts that all did."""
        begun = time.monotonic()
        waiting = list(services)
        while waiting:
            waiting = [name for name in waiting if self.call(name, method, path, token).status != 401]
            assert time.monotonic() - begun < seconds, "still let in by " + ", ".join(waiting)
        return time.monotonic() - begun
