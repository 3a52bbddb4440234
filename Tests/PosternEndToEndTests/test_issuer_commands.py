"""The commands of postern-issuer: what the API does, from the shell, on the same store, beside a server that runs. Over both."""
import json
import stat

import pytest

from harness import mint
from harness.answers import SECRET, UUID, problem
from harness.issuer import AUDIENCE, assertion, basic, by_assertion, claims
from harness.net import wait_until
from harness.process import environment, run
from harness.stores import SQLiteFile
from harness.table import table

SET = "postern:revocations"


def refused(server, *words, **options):
    """What a command says that must not succeed."""
    done = server.command(*words, **options)
    assert done.returncode not in (0, None) and done.stdout == "" and done.stderr, done
    return done.stderr


def test_a_store_is_bootstrapped_once(server):
    refused(server, "bootstrap")
    assert server.request_token("admin").status == 200, "the administrator's secret changed"


def test_clients(server, tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(mint.jwks(mint.key("ES256"))))
    made = server.told("client", "create", "from-the-shell", "--name", "Shell", "--scope", "trade:read", "--scope", "account:read",
                       "--access-token-lifetime", "120", "--allowed-ips", "127.0.0.0/8", "--is-trusted", "true", "--jwks", keys)
    secret = made.pop("client_secret")
    assert SECRET.match(secret)
    path = "/api/v1/admin/service-clients/from-the-shell"
    assert server.admin("GET", path, status=200).json() == made == server.told("client", "show", "from-the-shell")
    assert (made["scope_ids"], made["access_token_lifetime"], made["is_trusted"]) == (["trade:read", "account:read"], 120, True)
    assert server.request_token("from-the-shell", secret).json()["expires_in"] == 120
    text = assertion(mint.key("ES256"), "from-the-shell", server.url)
    assert server.call("POST", "/oauth/token", form=dict(by_assertion(text), grant_type="client_credentials")).status == 200

    assert "there is a client" in refused(server, "client", "create", "from-the-shell")
    changed = server.told("client", "update", "from-the-shell", "--scope", "market:data", "--jwks", "")
    assert changed == dict(made, scope_ids=["market:data"], jwks=None, updated_at=changed["updated_at"])
    found = server.told("client", "rotate-secret", "from-the-shell", "--overlap-seconds", "60")
    assert [server.request_token("from-the-shell", each).status for each in (secret, found["client_secret"])] == [200, 200]

    page = server.told("client", "list", "--limit", "1")
    assert [each["client_id"] for each in page["items"]] == ["admin"] and page["next"]
    page = server.told("client", "list", "--after", page["next"])
    assert "from-the-shell" in [each["client_id"] for each in page["items"]]

    token = server.request_token("from-the-shell", found["client_secret"]).json()["access_token"]
    server.told("client", "delete", "from-the-shell")
    problem(server.admin("GET", path), 404)
    assert server.introspect(token, basic("admin", server.secrets["admin"])) == {"active": False}
    for words in (("show",), ("delete",), ("rotate-secret",), ("update", "--name", "x")):
        assert "no client" in refused(server, "client", words[0], "from-the-shell", *words[1:])


WRONG = table(
    ("a client without a name", ["client", "create"]),
    ("a client's lifetime", ["client", "create", "x", "--access-token-lifetime", "1"]),
    ("a client's addresses", ["client", "create", "x", "--allowed-ips", "10.0.0.0/40"]),
    ("a client's keys", ["client", "create", "x", "--jwks", "/nonexistent"]),
    ("a client's id", ["client", "create", "a b"]),
    ("a user's permissions", ["user", "create", "x", "--permission", "a b"]),
    ("a user's end", ["user", "create", "x", "--expires-on", "soon"]),
    ("a service key's name", ["service-key", "create", "a/b"]),
    ("a part of a list", ["client", "list", "--limit", "0"]),
    ("a number of lines", ["audit", "tail", "-n", "0"]),
    ("a scope that the client does not have", ["token", "issue", "--client", "admin", "--scope", "x", "--issuer", "http://i.test",
                                               "--audience", "a"]),
    ("a client that is not there", ["token", "issue", "--client", "nobody", "--issuer", "http://i.test", "--audience", "a"]),
    ("an algorithm of keys", ["key", "rotate", "--algorithm", "HS256"]),
    ("no such command", ["key", "remove"]),
)


@pytest.mark.parametrize("words", WRONG)
def test_what_is_no_good_changes_nothing(server, words):
    def state():
        return [server.admin("GET", path, status=200).json()
                for path in ("/api/v1/admin/service-clients", "/api/v1/admin/users", "/auth/service-keys")]

    before = state()
    refused(server, *words, input="a good password\n")
    assert state() == before


def test_users(server):
    made = server.told("user", "create", "shell-user", "--email", "s@mail.test", "--email-verified", "true", "--permission", "trade:read",
                       "--role", "trader", input="typed at a terminal\n")
    assert UUID.match(made["user_id"]) and "password" not in made
    path = "/api/v1/admin/users/" + made["user_id"]
    assert server.admin("GET", path, status=200).json() == made == server.told("user", "show", "shell-user")
    session = server.session(dict(made, password="typed at a terminal"))
    key = server.add_service_key()["api_key"]
    assert server.hecate(key, session["access_token"])["permissions"] == ["trade:read"]
    changed = server.told("user", "update", made["user_id"], "--permission", "trade:open", "--role", "", "--expires-on", "2099-01-01T00:00:00Z")
    assert (changed["permissions"], changed["roles"], changed["expires_on"]) == (["trade:open"], [], "2099-01-01T00:00:00Z")
    assert server.hecate(key, session["access_token"])["permissions"] == ["trade:open"]
    server.told("user", "update", "shell-user", "--set-password", input="another password\n")
    assert server.hecate(key, session["access_token"]) == {"valid": False}
    session = server.session(dict(made, password="another password"))
    assert made["user_id"] in [each["user_id"] for each in server.told("user", "list", "--limit", "500")["items"]]
    server.told("user", "delete", "shell-user")
    problem(server.admin("GET", path), 404)
    assert server.hecate(key, session["access_token"]) == {"valid": False}
    for words in (("show",), ("delete",), ("update", "--role", "x")):
        assert "no user" in refused(server, "user", words[0], "shell-user", *words[1:])


def test_a_password_is_in_no_argument(server):
    """By the environment or standard input only: arguments are everybody's to read."""
    done = run("postern-issuer", "user", "create", "shell-user-2", *server.keeping,
               env=environment(POSTERN_ISSUER_PASSWORD="from the environment", **server.variables))
    assert done.returncode == 0, done.stderr
    user = json.loads(done.stdout)
    server.change_user(user, email_verified=True)
    assert server.login(dict(user, password="from the environment")).status == 200
    refused(server, "user", "create", "shell-user-3", "--password", "in an argument")
    refused(server, "user", "create", "shell-user-3", input="short\n")
    refused(server, "user", "create", "shell-user-3", input="")


def test_service_keys(server):
    made = server.told("service-key", "create", "shell-key", "--description", "from the shell")
    assert server.hecate(made["api_key"], "x") == {"valid": False}
    listed = server.told("service-key", "list")
    assert [each["description"] for each in listed if each["name"] == "shell-key"] == ["from the shell"]
    assert made["api_key"] not in json.dumps(listed)
    refused(server, "service-key", "create", "shell-key")
    server.told("service-key", "revoke", "shell-key")
    problem(server.call("POST", "/auth/introspect", token=made["api_key"], json_body={"token": "x"}), 401)
    refused(server, "service-key", "revoke", "shell-key")


def test_tokens(server):
    name = server.add_client(scope_ids=["trade:read", "account:read"])
    found = server.told("token", "issue", "--client", name, "--scope", "trade:read", "--issuer", server.url, "--audience", AUDIENCE)
    token = found["access_token"]
    assert (found["scope"], claims(token)["iss"], claims(token)["aud"]) == ("trade:read", server.url, AUDIENCE)
    line = basic("admin", server.secrets["admin"])
    assert server.introspect(token, line)["active"] is True
    inspected = server.told("token", "inspect", input=token + "\n")
    assert inspected["active"] is True and inspected["client_id"] == name
    assert server.told("token", "revoke", input=token + "\n")["revoked"] is True
    assert server.introspect(token, line) == {"active": False}
    for bad in (token, "rubbish", server.token("admin")[:-4] + "AAAA"):
        done = server.command("token", "inspect", input=bad + "\n")
        answer = json.loads(done.stdout)
        assert done.returncode == 1 and answer["active"] is False and answer["reason"], done
    assert server.command("token", "revoke", input="rubbish\n").returncode == 1
    # A refresh token stands for its session.
    session = server.session(server.add_user())
    server.told("token", "revoke", input=session["refresh_token"] + "\n")
    assert server.introspect(session["access_token"], line) == {"active": False}


def test_revocations_of_commands_are_published(start_issuer, issuer_store, redis_server):
    """By the command itself, or, where it has no Redis, by a server that runs on the store."""
    redis = redis_server()
    issuer = start_issuer(issuer_store, redis=redis)
    issuer.await_redis()

    def members():
        return redis.do("ZCARD", SET)

    tokens = [issuer.token(issuer.add_client()) for _ in range(2)]
    issuer.stop()
    issuer.told("token", "revoke", "--redis", redis.url, input=tokens[0] + "\n")
    assert members() == 1
    issuer.told("token", "revoke", input=tokens[1] + "\n")
    assert members() == 1
    issuer.start()
    wait_until(lambda: members() == 2, 5, "the revocation to be published")


def test_redis_away_is_a_warning(start_issuer, tmp_path, redis_server):
    issuer = start_issuer(SQLiteFile(tmp_path))
    redis = redis_server()
    redis.stop()
    token = issuer.token(issuer.add_client())
    done = issuer.command("token", "revoke", "--redis", redis.url, input=token + "\n")
    assert done.returncode == 0 and "Redis" in done.stderr, done
    assert issuer.introspect(token, basic("admin", issuer.secrets["admin"])) == {"active": False}


def test_a_key_is_rotated_beside_a_server_that_runs(rotated):
    """test_issuer_keys.py looks whether that server learns of it: it reads its keys every 30 seconds."""
    issuer, before, after = rotated
    rows = issuer.told("key", "list")
    assert {each["kid"]: each["state"] for each in rows} == {before: "current", after: "next"}


def test_the_audit_log_tells_of_commands(server, tmp_path):
    log = tmp_path / "audit.log"
    server.told("client", "create", "audited-shell", "--audit-log", log)
    line = json.loads(log.read_text())
    assert (line["action"], line["actor"], line["target"], line["allowed"]) == ("client.create", "command", "client:audited-shell", True)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    server.request_token("audited-shell", "wrong")

    def told():
        """The lines about this client, oldest first: what it was given, or refused, comes a moment later than the answer."""
        done = server.command("audit", "tail", "-n", "200")
        assert done.returncode == 0, done.stderr
        lines = [json.loads(each) for each in done.stdout.splitlines()]
        names = [each["action"] for each in lines if each["time"] >= line["time"]]
        return names[names.index("client.create"):] if "client.create" in names else []

    wait_until(lambda: "token.issue" in told(), 5, "the table to have both", interval=0.2)
    assert server.told("audit", "tail", "-n", "1")["action"]


def test_a_store_that_is_not_there(tmp_path):
    for words in (["client", "list"], ["key", "rotate"], ["audit", "tail"]):
        done = run("postern-issuer", *words, "--store", "sqlite:%s" % (tmp_path / "none.sqlite"))
        assert done.returncode != 0 and "none.sqlite" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = run("postern-issuer", "client", "list", "--store", "postgres://nobody:a-password-of-ones-own@127.0.0.1:1/none")
    assert done.returncode != 0 and done.stderr and "a-password" not in done.stderr


def test_help_names_the_commands():
    text = run("postern-issuer", "--help").stdout
    for each in ("run", "bootstrap", "client", "user", "service-key", "key", "token", "audit"):
        assert each in text.split()
