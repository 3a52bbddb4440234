"""postern-issuer as a real deployment runs it: bootstrapped, over either store, and asked by literal requests."""
from __future__ import annotations

import base64
import json
import re
import signal
import time
import urllib.parse
import uuid

from . import mint
from .description import Description
from .mint import unb64
from .net import free_port, wait_until
from .process import Child, environment, run, until_healthy
from .raw import RawClient, bearer, head

AUDIENCE = "mt5-api"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def basic(client_id, secret):
    """The header line of HTTP Basic as RFC 6749 section 2.3.1 has it: both parts form-encoded first."""
    text = ":".join(urllib.parse.quote_plus(each) for each in (client_id, secret))
    return "Authorization: Basic " + base64.b64encode(text.encode()).decode()


def assertion(key, client_id, audience, **changes):
    """A client's assertion (RFC 7523 section 3), good for two minutes; a change to None takes the member out."""
    now = int(time.time())
    payload = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 120, "jti": str(uuid.uuid4())}
    payload.update(changes)
    return mint.forge(key.header(typ=None), {name: value for name, value in payload.items() if value is not None}, key.sign)


def by_assertion(text):
    """The form fields that carry an assertion."""
    return {"client_assertion_type": ASSERTION, "client_assertion": text}


def claims(token):
    """The payload of a JWT, unverified."""
    return json.loads(unb64(token.split(".")[1]))


def jose(token):
    """The header of a JWT, unverified."""
    return json.loads(unb64(token.split(".")[0]))


def without_identity(answer):
    """(status, header lines, body) of an answer without what differs each time: its request id and its date."""
    headers = sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in ("date", "x-request-id"))
    body = answer.body
    if (answer.header("content-type") or "").startswith("application/problem+json"):
        identity = answer.json()["request_id"]
        assert body.count(identity.encode()) == 1
        body = body.replace(identity.encode(), b"ID")
        headers = [(name, value.replace(str(len(answer.body)), "N") if name == "content-length" else value)
                   for name, value in headers]
    return answer.status, headers, body


# What /openapi.json says: the same in every run of one binary, but for the issuer's URL.
_described = []


class Connection:
    """One connection to an issuer, kept for many requests; whatever breaks is the caller's to see."""

    def __init__(self, port, timeout=10.0):
        self.port = port
        self.timeout = timeout
        self.raw = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.raw is not None:
            self.raw.close()
            self.raw = None

    def call(self, method, path, *lines, **content):
        """The answer to one request, see `request`; connects if there is no connection."""
        if self.raw is None:
            self.raw = RawClient(self.port, self.timeout)
        try:
            answer = self.raw.send(request(method, path, *lines, **content)).response(method)
        except BaseException:
            self.close()
            raise
        if (answer.header("connection") or "").lower() == "close":
            self.close()
        return answer


def request(method, path, *lines, form=None, json_body=None, token=None, host="issuer.test"):
    """The bytes of a request: `form` or `json_body` is its content, `token` its bearer token."""
    lines, body = list(lines), b""
    if token is not None:
        lines.append(bearer(token))
    if form is not None:
        body = urllib.parse.urlencode(form).encode()
        lines += ["Content-Type: " + FORM]
    elif json_body is not None:
        body = json_body if isinstance(json_body, bytes) else json.dumps(json_body).encode()
        lines += ["Content-Type: " + JSON]
    if body or method in ("POST", "PATCH", "PUT"):
        lines.append("Content-Length: %d" % len(body))
    return head(method, path, *lines, host=host) + body


class IssuerServer:
    """One process of the issuer; its port, store and key stay through every restart. `of` is another process whose
    store, key and URL this one shares: a replica."""

    def __init__(self, folder, store, *arguments, redis=None, of=None, variables=None, start=True):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.store = store
        self.port, self.admin_port = free_port(), free_port()
        self.url = of.url if of else "http://127.0.0.1:%d" % self.port
        self.key_file = of.key_file if of else folder / "issuer.key"
        self.variables = dict(variables or {})
        self.redis = redis
        self.arguments = list(arguments)
        self.secrets = dict(of.secrets) if of else {}
        self.child = None
        self.ended = []
        self._token = None
        if not of:
            self.bootstrap()
        if start:
            self.start()

    @property
    def keeping(self):
        """The options that say which store, for every command."""
        key = [] if "POSTERN_ISSUER_KEY" in self.variables else ["--key-file", str(self.key_file)]
        return ["--store", self.store.url, *key]

    def bootstrap(self):
        """Sets the store up; the administrator's secret is known from then on."""
        done = self.command("bootstrap", *self._algorithm())
        assert done.returncode == 0, done.stderr
        fields = dict(each.split("=", 1) for each in done.stdout.split() if "=" in each)
        assert fields["client_id"] == "admin", done.stdout
        self.secrets["admin"] = fields["client_secret"]

    def _algorithm(self):
        """The algorithm among the arguments: the first key has it as well."""
        at = self.arguments.index("--algorithm") if "--algorithm" in self.arguments else len(self.arguments)
        return self.arguments[at:at + 2]

    def command(self, *words, **options):
        """Runs a command of postern-issuer on this store to its end."""
        return run("postern-issuer", *words, *self.keeping, env=environment(**self.variables), **options)

    def told(self, *words, **options):
        """What a command that has to succeed prints: one JSON document, nothing on standard error."""
        done = self.command(*words, **options)
        assert (done.returncode, done.stderr) == (0, ""), done
        return json.loads(done.stdout)

    def start(self):
        words = ["run", "--listen", "127.0.0.1:%d" % self.port, "--admin-listen", "127.0.0.1:%d" % self.admin_port,
                 "--issuer", self.url, "--audience", AUDIENCE, *self.keeping]
        if self.redis is not None:
            words += ["--redis", self.redis.url]
        self.child = Child(self.folder, "postern-issuer", words + self.arguments, environment(**self.variables))
        try:
            until_healthy(self.port, self.child)
        except BaseException:
            self.kill()
            raise

    def stop(self):
        """SIGTERM, and an orderly end."""
        if self.child is not None:
            self.child.stop()
            assert self.child.process.returncode == 0, "exit code %d\n%s" % (
                self.child.process.returncode, self.child.output()[-3000:])
            self.child = None

    def kill(self):
        """A crash."""
        self.child.process.send_signal(signal.SIGKILL)
        self.child.process.wait(5)

    def restart(self):
        self.stop()
        self.start()

    def said(self):
        """Everything that every start of it wrote to standard output and standard error."""
        return "".join(each.read_text("utf-8", "replace") for each in sorted(self.folder.glob("postern-issuer-*.*")))

    def audit(self):
        """The lines of the audit log on standard output, as JSON."""
        text = "".join(each.read_text("utf-8", "replace") for each in sorted(self.folder.glob("postern-issuer-*.out")))
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.startswith("{")]

    def await_audit(self, action, timeout=5.0, **members):
        """The first audit line of that action with these members, once it is there."""

        def find():
            return [line for line in self.audit() if line["action"] == action
                    and all(line.get(name) == value for name, value in members.items())]

        return wait_until(find, timeout, "an audit line %s %s" % (action, members))[0]

    def await_redis(self):
        """Returns when it has said that it has its Redis."""
        wait_until(lambda: "Redis is connected" in self.child.output(), 5, "the issuer to have its Redis")

    def call(self, method, path, *lines, **content):
        """The answer to one request on a connection of its own; it has to be one that /openapi.json declares."""
        with Connection(self.port) as connection:
            answer = connection.call(method, path, *lines, **content)
        self._check(method, path, answer)
        return answer

    def _check(self, method, path, answer):
        """Fails if the description has this operation, and not this answer."""
        if not _described:
            with Connection(self.port) as connection:
                _described.append(Description(connection.call("GET", "/openapi.json").json()))
        for described, template, operation in _described[0].operations():
            if described == method and re.fullmatch(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(template)), path.partition("?")[0]):
                faults = _described[0].faults(operation, answer)
                assert faults == [], "%s %s: %s\n%r" % (method, path, faults, answer)

    def get_admin(self, path):
        """An answer of the admin listener."""
        with Connection(self.admin_port) as connection:
            return connection.call("GET", path)

    def request_token(self, client_id, secret=None, *lines, path="/oauth/token", **fields):
        """The answer of the token endpoint to a client with its secret in the form."""
        fields = dict({"grant_type": "client_credentials"} if path == "/oauth/token" else {}, **fields)
        return self.call("POST", path, *lines, form=dict(
            fields, client_id=client_id, client_secret=secret or self.secrets[client_id]))

    def token(self, client_id, **fields):
        """A new access token of a client."""
        answer = self.request_token(client_id, **fields)
        assert answer.status == 200, answer
        return answer.json()["access_token"]

    def admin_token(self):
        """An administrator's access token, one for each life of this object: it holds for 15 minutes."""
        if self._token is None:
            self._token = self.token("admin")
        return self._token

    def admin(self, method, path, body=None, status=None):
        """An administrator's request; the answer, which has to have `status` if one is given."""
        answer = self.call(method, path, token=self.admin_token(), json_body=body)
        assert status is None or answer.status == status, answer
        return answer

    def add_client(self, client_id=None, **fields):
        """Registers a client and keeps its secret; its id."""
        client_id = client_id or "client-" + uuid.uuid4().hex[:12]
        answer = self.admin("POST", "/api/v1/admin/service-clients", dict(fields, client_id=client_id), 201)
        self.secrets[client_id] = answer.json()["client_secret"]
        return client_id

    def change_client(self, client_id, **fields):
        return self.admin("PATCH", "/api/v1/admin/service-clients/" + client_id, fields, 200).json()

    def add_user(self, username=None, password=None, **fields):
        """Creates a user who can log in: the object, with `password` in it."""
        username = username or "user-" + uuid.uuid4().hex[:12]
        password = password or "password of " + username
        body = dict({"email": username + "@mail.test", "email_verified": True}, **fields)
        answer = self.admin("POST", "/api/v1/admin/users", dict(body, username=username, password=password), 201)
        return dict(answer.json(), password=password)

    def change_user(self, user, **fields):
        return self.admin("PATCH", "/api/v1/admin/users/" + user["user_id"], fields, 200).json()

    def add_service_key(self, name=None, **fields):
        """Creates a service key; the answer's members."""
        name = name or "key-" + uuid.uuid4().hex[:12]
        return self.admin("POST", "/auth/service-keys", dict(fields, name=name), 201).json()

    def login(self, user, *lines, **fields):
        """The answer to a user's login."""
        return self.call("POST", "/auth/login", *lines, json_body=dict(
            {"username": user["username"], "password": user["password"]}, **fields))

    def session(self, user, **fields):
        """The members of a good login."""
        answer = self.login(user, **fields)
        assert answer.status == 200, answer
        return answer.json()

    def hecate(self, key, token):
        """The verdict of /auth/introspect."""
        answer = self.call("POST", "/auth/introspect", token=key, json_body={"token": token})
        assert answer.status == 200, answer
        return answer.json()

    def introspect(self, token, *lines, **fields):
        """The verdict of /oauth/introspect, asked with these header lines or form fields as credentials."""
        answer = self.call("POST", "/oauth/introspect", *lines, form=dict(fields, token=token))
        assert answer.status == 200, answer
        return answer.json()

    def revoke(self, token, client_id):
        """Revokes as that client."""
        answer = self.call("POST", "/oauth/revoke", basic(client_id, self.secrets[client_id]), form={"token": token})
        assert answer.status == 200, answer

    def keys(self):
        """The key set that it publishes."""
        answer = self.call("GET", "/.well-known/jwks.json")
        assert answer.status == 200, answer
        return answer.json()["keys"]
