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
# Another key under the name of the client's own.
NAMESAKE = mint.Key("ES256", mint.key("ES256").kid)
MEASURED = ("a-token,-by-form", "a-token,-by-assertion", "a-token,-by-assertion-that-names-the-key", "introspection")


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
    ("a token, by assertion that names the key", lambda server, name: ("/oauth/token", [], {
        "form": dict(GRANT, **by_assertion(assertion(NAMESAKE, name, server.url)))})),
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


def blocks(server, count, *makers):
    """Functions that send `count` requests each. They share a connection, and with it the event loop that serves them."""
    connection = Connection(server.port)

    def sender(make):
        def send():
            for _ in range(count):
                path, lines, content = make()
                answer = connection.call("POST", path, *lines, **content)
                assert answer.status in (200, 401), answer
            return count

        return send

    return [sender(make) for make in makers]


@pytest.mark.parametrize("make", [each for each in REQUESTS if each.id in MEASURED])
def test_a_wrong_secret_and_an_unknown_client_cost_the_same(server, known, make):
    kinds = blocks(server, 15, *(lambda name=name: make(server, name) for name in (known, UNKNOWN)))
    cost.check_equal(server.child.pid, kinds, 50)


def test_a_wrong_password_and_an_unknown_name_cost_the_same(server):
    """Ten failures from an address make the next one cheap: every guess has its own."""
    names = [server.add_user()["username"] for _ in range(3)]
    strangers = ["nick-" + each[5:] for each in names]

    def guess(among):
        turn = itertools.cycle(among)
        return lambda: ("/auth/login", [elsewhere()], {"json_body": {"username": next(turn), "password": "x" * 12}})

    kinds = blocks(server, 1, guess(names), guess(strangers))
    cost.check_equal(server.child.pid, kinds, 20)


def test_the_measure_finds_what_differs(server, known):
    """The test of the test: a request that is granted costs a signature more."""
    server.change_client(known, rate_limit_per_minute=100000)
    good = dict(GRANT, client_id=known, client_secret=server.secrets[known])
    kinds = blocks(server, 30, *(lambda secret=secret: ("/oauth/token", [], {"form": dict(good, client_secret=secret)})
                                 for secret in ("x" * 32, server.secrets[known])))
    with pytest.raises(AssertionError, match="by chance"):
        cost.check_equal(server.child.pid, kinds, 15)
