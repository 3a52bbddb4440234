"""Where a token may be, and the rule of one (3-behaviour, order of decisions, 4)."""
import pytest

from harness import config as configs
from harness.problems import check_problem
from harness.raw import bearer, head
from harness.table import table


@pytest.fixture(scope="module")
def settings():
    return {"limits": {"token": "2KiB"}, "more_routes": {"GET /fwd": {"scopes": "trade:read", "forward_token": True}}}


def good():
    return configs.token()


ACCEPTED = table(
    ("the plain form", lambda t: ["Authorization: Bearer " + t]),
    ("the scheme in lower case", lambda t: ["Authorization: bearer " + t]),
    ("the scheme in capitals", lambda t: ["Authorization: BEARER " + t]),
    ("the name of the header in any case", lambda t: ["aUTHORIZATION: Bearer " + t]),
    ("several spaces", lambda t: ["Authorization: Bearer    " + t]),
    ("whitespace around the value", lambda t: ["Authorization: \t Bearer " + t + " \t"]),
    ("no space after the colon", lambda t: ["Authorization:Bearer " + t]),
)


@pytest.mark.parametrize("fields", ACCEPTED)
def test_accepted(proxy, upstream, fields):
    assert proxy.call("GET", "/auth", *fields(good())).status == 200
    assert upstream.requests[0].header("x-user-id") == "user-7"
    assert upstream.requests[0].all("authorization") == []


NONE = table(
    ("no header", lambda t: [], ""),
    ("Basic", lambda t: ["Authorization: Basic dTpw"], ""),
    ("Basic with a token as its value", lambda t: ["Authorization: Basic " + t], ""),
    ("Digest", lambda t: ['Authorization: Digest username="x"'], ""),
    ("DPoP", lambda t: ["Authorization: DPoP " + t], ""),
    ("a scheme that begins with Bearer", lambda t: ["Authorization: Bearerx " + t], ""),
    ("a token in the query alone", lambda t: [], "?access_token={t}"),
    ("a token in Proxy-Authorization", lambda t: ["Proxy-Authorization: Bearer " + t], ""),
    ("a token in a cookie", lambda t: ["Cookie: access_token=" + t], ""),
    ("a token in a header like it", lambda t: ["X-Authorization: Bearer " + t], ""),
)


@pytest.mark.parametrize("fields, query", NONE)
def test_no_credential(proxy, only_sentinel, fields, query):
    token = good()
    answer = proxy.call("GET", "/auth" + query.replace("{t}", token), *fields(token))
    check_problem(answer, "missing_token")
    only_sentinel()


def test_another_scheme_is_anonymous_on_an_optional_route(proxy, upstream):
    assert proxy.call("GET", "/optional", "Authorization: Basic dTpw").status == 200
    assert proxy.call("GET", "/optional?access_token=" + good()).status == 200
    for request in upstream.requests:
        assert request.all("x-user-id") == [] and request.all("authorization") == []


REFUSED = table(
    ("two equal headers", lambda t: [bearer(t), bearer(t)], ""),
    ("two headers, the second of another scheme", lambda t: [bearer(t), "Authorization: Basic dTpw"], ""),
    ("two headers, the first of another scheme", lambda t: ["Authorization: Basic dTpw", bearer(t)], ""),
    ("two headers, one empty", lambda t: ["Authorization:", bearer(t)], ""),
    ("two headers apart and in other cases", lambda t: [bearer(t), "X-Between: 1", "authorization: bearer " + t], ""),
    ("two tokens in one header by a comma", lambda t: ["Authorization: Bearer %s, Bearer %s" % (t, t)], ""),
    ("two tokens in one header by a space", lambda t: ["Authorization: Bearer %s %s" % (t, t)], ""),
    ("Bearer alone", lambda t: ["Authorization: Bearer"], ""),
    ("Bearer and spaces", lambda t: ["Authorization: Bearer   "], ""),
    ("a tab after the scheme", lambda t: ["Authorization: Bearer\t" + t], ""),
    ("a token in quotes", lambda t: ['Authorization: Bearer "%s"' % t], ""),
    ("a token with a comma", lambda t: ["Authorization: Bearer a,b"], ""),
    ("a token with a parameter", lambda t: ["Authorization: Bearer token=" + t + ";x"], ""),
    ("a token with = inside", lambda t: ["Authorization: Bearer a=b"], ""),
    ("a token of = alone", lambda t: ["Authorization: Bearer ="], ""),
    ("a token with a byte over 0x7F", lambda t: ["Authorization: Bearer a\xe4"], ""),
    ("a token in the header and the query", lambda t: [bearer(t)], "?access_token={t}"),
    ("a token in the header and later in the query", lambda t: [bearer(t)], "?a=b&access_token=x&c"),
    ("a token in the query under an escaped name", lambda t: [bearer(t)], "?%61ccess%5Ftoken=x"),
    ("a token over limits.token", lambda t: ["Authorization: Bearer " + "a" * 2049], ""),
)


@pytest.mark.parametrize("target", ["/auth", "/optional"])
@pytest.mark.parametrize("fields, query", REFUSED)
def test_refused_with_invalid_request(proxy, only_sentinel, fields, query, target):
    token = good()
    answer = proxy.call("GET", target + query.replace("{t}", token), *fields(token))
    check_problem(answer, "invalid_request")
    assert token not in answer.raw.decode("latin-1") + answer.body.decode()
    only_sentinel()


LOOKALIKES = table(
    ("another parameter", "?access_tokens=x"),
    ("the name as a value", "?a=access_token"),
    ("the name inside another", "?my_access_token=x"),
    ("the name in capitals", "?ACCESS_TOKEN=x"),
)


@pytest.mark.parametrize("query", LOOKALIKES)
def test_a_query_that_only_resembles_a_token_is_data(proxy, upstream, query):
    assert proxy.call("GET", "/auth" + query, token=good()).status == 200
    assert upstream.requests[0].target == "/auth" + query


def test_a_token_of_exactly_the_limit_is_looked_at(proxy, only_sentinel):
    check_problem(proxy.call("GET", "/auth", "Authorization: Bearer " + "a" * 2048), "invalid_token")
    only_sentinel()


def test_forward_token_passes_the_header_on(proxy, upstream):
    token = good()
    assert proxy.call("GET", "/fwd", token=token).status == 200
    assert upstream.requests[0].header("authorization") == "Bearer " + token
    assert proxy.call("GET", "/auth", token=token).status == 200
    assert upstream.requests[1].all("authorization") == []


def test_forward_token_for_all_routes(start, upstream):
    proxy = start(configs.config(upstream, forward_token=True))
    token = good()
    assert proxy.call("GET", "/auth", token=token).status == 200
    assert upstream.requests[0].header("authorization") == "Bearer " + token


def test_every_request_of_a_connection_needs_its_own_token(proxy, upstream):
    with proxy.client() as client:
        assert client.send(head("GET", "/auth", bearer(good()))).response().status == 200
        check_problem(client.send(head("GET", "/auth")).response(), "missing_token")
        check_problem(client.send(head("GET", "/auth", bearer("x.y.z"))).response(), "invalid_token")
        assert client.send(head("GET", "/auth", bearer(good()))).response().status == 200
    assert len(upstream.requests) == 2
