"""What a stranger can learn: whether a name exists, by the answer or by its cost. Over both stores."""
import itertools

import pytest

from harness import cost, mint
from harness.issuer import Connection, assertion, basic, by_assertion, without_identity
from harness.table import table
from test_issuer_users_api import elsewhere

ISSUER_ARGUMENTS = ("--trusted-proxies", "127.0.0.0/8")
GRANT = {"grant_type": "client_credentials"}
UNKNOWN = "client-that-is-not-there"


@pytest.fixture(scope="module")
def known(server):
    """A client whose name is as long as the unknown one's, with keys of its own and an address list."""
    return server.add_client("client-that-is-up-to-it", allowed_ips="127.0.0.0/8", jwks=mint.jwks(mint.key("ES256")))


# Each makes the (path, header lines, content) of a request as that client, whose secret it does not know.
REQUESTS = table(
    ("a token, by form", lambda server, name: ("/oauth/token", [], {"form": dict(GRANT, client_id=name, client_secret="x" * 32)})),
    ("a token, by Basic", lambda server, name: ("/oauth/token", [basic(name, "x" * 32)], {"form": GRANT})),
    ("a token, by assertion", lambda server, name: ("/oauth/token", [], {
        "form": dict(GRANT, **by_assertion(assertion(mint.key("ES256", "es256-stranger"), name, server.url)))})),
    ("a service token, by form", lambda server, name: ("/api/v1/auth/service-token", [], {
        "form": {"client_id": name, "client_secret": "x" * 32}})),
    ("a service token, by JSON", lambda server, name: ("/api/v1/auth/service-token", [], {
        "json_body": {"client_id": name, "client_secret": "x" * 32}})),
    ("introspection", lambda server, name: ("/oauth/introspect", [basic(name, "x" * 32)], {"form": {"token": "x"}})),
    ("revocation", lambda server, name: ("/oauth/revoke", [basic(name, "x" * 32)], {"form": {"token": "x"}})),
)


@pytest.mark.parametrize("make", REQUESTS)
def test_a_wrong_secret_and_an_unknown_client_are_answered_alike(server, known, make):
    answers = []
    for name in (known, UNKNOWN):
        path, lines, content = make(server, name)
        answers.append(server.call("POST", path, *lines, **content))
    assert answers[0].status == 401 and answers[0].json()["error"] == "invalid_client"
    assert without_identity(answers[0]) == without_identity(answers[1])


def test_an_inactive_client_and_a_wrong_secret_are_answered_alike(server):
    name = server.add_client("client-that-is-inactive", is_active=False)
    answers = [server.request_token(each, "x" * 32) for each in (name, UNKNOWN)]
    assert without_identity(answers[0]) == without_identity(answers[1])


@pytest.mark.parametrize("fields", [{}, {"is_active": False}, {"email_verified": False}, {"expires_on": "2020-01-01T00:00:00Z"}])
def test_a_wrong_password_and_an_unknown_name_are_answered_alike(server, fields):
    user = server.add_user(**fields)
    answers = [server.login({"username": name, "password": "x" * 12}, elsewhere()) for name in (user["username"], "nobody")]
    assert answers[0].status == 401 and answers[0].json()["code"] == "invalid_credentials"
    assert without_identity(answers[0]) == without_identity(answers[1])


def block(server, count, make):
    """A function that sends `count` requests on one connection, which stays."""
    connection = Connection(server.port)

    def send():
        for _ in range(count):
            path, lines, content = make()
            assert connection.call("POST", path, *lines, **content).status == 401
        return count

    return send


@pytest.mark.parametrize("make", [each for each in REQUESTS if each.id in ("a-token,-by-form", "a-token,-by-assertion", "introspection")])
def test_a_wrong_secret_and_an_unknown_client_cost_the_same(server, known, make):
    kinds = [block(server, 30, lambda name=name: make(server, name)) for name in (known, UNKNOWN)]
    cost.check_equal(cost.measure(server.child.pid, kinds, 30))


def test_a_wrong_password_and_an_unknown_name_cost_the_same(server):
    """Ten failures make the next one cheap, by the name as by the address: every guess has its own address, and no name is
    used so often."""
    names = [server.add_user()["username"] for _ in range(3)]
    strangers = ["nick-" + each[5:] for each in names]

    def guess(among):
        turn = itertools.cycle(among)
        return lambda: ("/auth/login", [elsewhere()], {"json_body": {"username": next(turn), "password": "x" * 12}})

    kinds = [block(server, 1, guess(each)) for each in (names, strangers)]
    cost.check_equal(cost.measure(server.child.pid, kinds, 24))


def test_the_measure_finds_what_differs(server, known):
    """The test of the test: a request that is granted costs a signature more."""
    good = dict(GRANT, client_id=known, client_secret=server.secrets[known])
    server.change_client(known, rate_limit_per_minute=100000)
    connection = Connection(server.port)

    def given():
        for _ in range(30):
            assert connection.call("POST", "/oauth/token", form=good).status == 200
        return 30

    refused = block(server, 30, lambda: ("/oauth/token", [], {"form": dict(good, client_secret="x" * 32)}))
    with pytest.raises(AssertionError, match="by chance"):
        cost.check_equal(cost.measure(server.child.pid, [refused, given], 20))
