"""One path is matched and that same path is forwarded; a path that servers read differently is refused."""
import pytest

from harness import config as configs
from harness.problems import check_problem
from harness.raw import head
from harness.table import table

READ = "trade:read account:read trade:open trade:close market:data account:balance"


@pytest.fixture(scope="module")
def settings():
    return {
        "more_routes": {
            "GET /a/{x}": "public",
            "POST /a/b": "public",
            "GET /s/{one}/mid/{two}": "public",
            "GET /s/lit/mid/{two}": {"scopes": "never:granted"},
            "GET /s/{rest...}": "authenticated",
            "GET /m/x": {"scopes": "never:granted"},
            "ANY /m/x": "public",
            "GET|PUT /multi": "public",
            "GET /slash/": "public",
            "GET /Case": "public",
            "GET /tilde~/p%20q": "public",
            "DELETE /h": "public",
            "GET /h": "public",
            "HEAD /own": "deny",
            "GET /own": "public",
        }
    }


AMBIGUOUS = table(
    ("an encoded slash", "/public/a%2fb"),
    ("an encoded slash in capitals", "/public/a%2Fb"),
    ("an encoded backslash", "/public/a%5cb"),
    ("an encoded backslash in capitals", "/public/a%5Cb"),
    ("an encoded NUL", "/public/a%00"),
    ("an encoded LF", "/public/a%0ab"),
    ("an encoded CR", "/public/a%0D"),
    ("an encoded DEL", "/public/a%7f"),
    ("a backslash", "/public/a\\b"),
    ("a backslash that climbs", "/public/..\\x"),
    ("a percent at the end", "/public/a%"),
    ("an escape of one digit", "/public/a%2"),
    ("an escape that is no hexadecimal", "/public/a%zz"),
    ("an escape of half a digit", "/public/a%2g"),
    ("an overlong escape of a dot", "/public/%c0%ae"),
    ("an escape that is not UTF-8", "/public/%ff"),
    ("an escape of a surrogate", "/public/%ed%a0%80"),
    ("an unfinished UTF-8 escape", "/public/%c3"),
    ("an unfinished UTF-8 escape before a slash", "/public/%c3/x"),
    ("a raw byte over 0x7E", "/public/\xe4"),
    ("raw UTF-8", "/public/\xc3\xa4"),
    ("a hash", "/public/a#b"),
    ("a dot segment", "/public/./x"),
    ("a dot segment at the end", "/public/."),
    ("a double dot segment", "/public/../internal/x"),
    ("a double dot segment at the end", "/public/x/.."),
    ("an encoded dot segment", "/public/%2e/x"),
    ("an encoded double dot", "/public/%2e%2e/internal/x"),
    ("an encoded double dot in capitals", "/public/%2E%2E/x"),
    ("a half encoded double dot", "/public/.%2e/x"),
    ("the other half encoded double dot", "/public/%2e./x"),
    ("an empty segment", "/public//x"),
    ("an empty first segment", "//public/x"),
    ("an empty segment before the end", "/public/x//"),
    ("a semicolon", "/public/x;y"),
    ("a semicolon with a value", "/public/x;jsessionid=1/y"),
    ("a dot segment with a semicolon", "/public/..;/internal/x"),
    ("an odd trades path", "/api//v1/./trades"),
    ("an ambiguous path below a denied route", "/internal/%2e%2e/health"),
    ("an ambiguous path in an absolute target", "http://mt5.test/public/../x"),
)


@pytest.mark.parametrize("target", AMBIGUOUS)
def test_ambiguous_path_is_400(proxy, only_sentinel, target):
    token = configs.token(scope=READ)
    for fields in ((), ("Authorization: Bearer " + token,)):
        answer = proxy.call("GET", target, *fields)
        check_problem(answer, "ambiguous_path")
    only_sentinel()


PLAIN = table(
    ("an encoded percent", "/public/%252e%252e/x"),
    ("an encoded percent before 2f", "/public/a%252fb"),
    ("an encoded semicolon", "/public/a%3Bb"),
    ("an encoded letter", "/public/%61"),
    ("encoded UTF-8", "/public/%C3%A4%e2%82%ac"),
    ("three dots", "/public/..."),
    ("a dot in a name", "/public/.well-known/a.b"),
    ("an empty last segment", "/public/x/"),
    ("reserved characters", "/public/a:b@c!$&'()*+,=~_-"),
    ("odd bytes in the query", "/public/x?a=../..//%2f;%zz\\|{}\"^`"),
    ("an empty query", "/public/x?"),
    ("a question mark in the query", "/public/x?a?b"),
    ("an encoded question mark", "/public/a%3Fb"),
    ("an encoded space", "/public/a%20b"),
    ("lower and upper case escapes", "/public/%c3%A4"),
    ("quotes and braces", "/public/{a}\"|^`<>"),
)


@pytest.mark.parametrize("target", PLAIN)
def test_path_is_forwarded_byte_for_byte(proxy, upstream, target):
    assert proxy.call("GET", target).status == 200
    assert [each.target for each in upstream.requests] == [target]


def test_absolute_form_is_matched_by_its_path(proxy, upstream):
    for target in ("http://mt5.test/health", "HTTP://MT5.test/health"):
        assert proxy.call("GET", target).status == 200
    for request in upstream.requests:
        request.check()
        assert request.target == "/health", "the path that was matched is the one forwarded"
    check_problem(proxy.call("GET", "http://mt5.test/internal/x"), "route_denied")
    assert len(upstream.requests) == 2


MATCHES = table(
    ("a literal route", "GET", "/health", 200),
    ("another case of a literal is another path", "GET", "/HEALTH", "route_not_declared"),
    ("a literal with capitals", "GET", "/Case", 200),
    ("a literal with capitals asked in lower case", "GET", "/case", "route_not_declared"),
    ("a trailing slash is another path", "GET", "/health/", "route_not_declared"),
    ("a route with a trailing slash", "GET", "/slash/", 200),
    ("a route with a trailing slash asked without", "GET", "/slash", "route_not_declared"),
    ("a path below a literal", "GET", "/health/x", "route_not_declared"),
    ("a prefix of a literal", "GET", "/healt", "route_not_declared"),
    ("the root", "GET", "/", "route_not_declared"),
    ("a parameter", "GET", "/a/anything", 200),
    ("a parameter takes an encoded segment", "GET", "/a/%C3%A4", 200),
    ("a parameter is not empty", "GET", "/a/", "route_not_declared"),
    ("a parameter is one segment", "GET", "/a/b/c", "route_not_declared"),
    ("only patterns of the method compete", "GET", "/a/b", 200),
    ("the literal with its own method", "POST", "/a/b", 200),
    ("a method of no pattern of that path", "DELETE", "/a/b", "method_not_allowed"),
    ("a literal beats a parameter", "GET", "/s/lit/mid/x", "missing_token"),
    ("a parameter beats a rest", "GET", "/s/other/mid/x", 200),
    ("a rest takes what is left", "GET", "/s/other/els", "missing_token"),
    ("backtracking from a literal to the rest", "GET", "/s/lit/els/x", "missing_token"),
    ("an encoded literal segment matches decoded", "GET", "/s/l%69t/mid/x", "missing_token"),
    ("a named method beats ANY", "GET", "/m/x", "missing_token"),
    ("ANY takes the others", "PATCH", "/m/x", 200),
    ("ANY takes a method of one's own", "BREW", "/m/x", 200),
    ("the first of two methods", "GET", "/multi", 200),
    ("the second of two methods", "PUT", "/multi", 200),
    ("neither of two methods", "POST", "/multi", "method_not_allowed"),
    ("a method in lower case is another method", "get", "/health", "method_not_allowed"),
    ("a rest matches nothing after the slash", "GET", "/internal/", "route_denied"),
    ("a rest does not match without the slash", "GET", "/internal", "route_not_declared"),
    ("a rest matches many segments", "GET", "/internal/a/b/c", "route_denied"),
    ("an escape in a declared literal", "GET", "/tilde~/p%20q", 200),
    ("an escape in a declared literal, spelled otherwise", "GET", "/%74ilde%7E/p%20q", 200),
    ("a declared path with another method", "POST", "/health", "method_not_allowed"),
    ("the query takes no part", "GET", "/health?x=/internal/", 200),
)


@pytest.mark.parametrize("method, target, outcome", MATCHES)
def test_route_matching(proxy, upstream, method, target, outcome):
    answer = proxy.call(method, target)
    if outcome == 200:
        assert answer.status == 200, answer
        assert [(each.method, each.target) for each in upstream.requests] == [(method, target)]
    else:
        check_problem(answer, outcome)
        assert upstream.requests == []


def test_head_is_matched_by_get(proxy, upstream):
    with proxy.client() as client:
        answer = client.send(head("HEAD", "/health")).response("HEAD")
        assert answer.status == 200
        assert client.send(head("GET", "/health")).response().status == 200
    assert [each.method for each in upstream.requests] == ["HEAD", "GET"]


def test_explicit_head_beats_get(proxy, upstream):
    check_problem(proxy.call("HEAD", "/own"), "route_denied", "HEAD")
    assert proxy.call("GET", "/own").status == 200
    assert [each.method for each in upstream.requests] == ["GET"]


ALLOWED = table(
    ("one method and its HEAD", "POST", "/health", {"GET", "HEAD"}),
    ("two methods", "PATCH", "/api/v1/trades", {"GET", "HEAD", "POST"}),
    ("methods of two patterns of one path", "DELETE", "/a/b", {"GET", "HEAD", "POST"}),
    ("two routes of one path", "POST", "/h", {"GET", "HEAD", "DELETE"}),
    ("a method without GET", "GET", "/api/v1/trades/7", {"DELETE"}),
    ("OPTIONS is a method like others", "OPTIONS", "/health", {"GET", "HEAD"}),
)


@pytest.mark.parametrize("method, target, allowed", ALLOWED)
def test_405_names_the_methods(proxy, only_sentinel, method, target, allowed):
    answer = proxy.call(method, target)
    check_problem(answer, "method_not_allowed")
    found = [each.strip() for each in answer.header("allow").split(",")]
    assert set(found) == allowed and len(found) == len(allowed), found
    with_token = proxy.call(method, target, token=configs.token())
    assert with_token.status == 405, "405 for a caller of any kind"
    only_sentinel()


LIFTED = table(
    ("empty segments allowed", "empty_segments", ["/public//x", "//public"], ["/public/a%2fb", "/public/a;b"]),
    ("an encoded slash allowed", "encoded_slash", ["/public/a%2Fb"], ["/public//x", "/public/a;b", "/public/a%5cb"]),
    ("a semicolon allowed", "semicolon", ["/public/a;b"], ["/public//x", "/public/a%2fb"]),
)


@pytest.mark.parametrize("key, allowed, refused", LIFTED)
def test_each_path_rule_is_lifted_alone(start, upstream, key, allowed, refused):
    proxy = start(configs.config(upstream, paths={key: "allow"}, default="public"))
    for target in allowed:
        assert proxy.call("GET", target).status == 200, target
    assert [each.target for each in upstream.requests] == allowed
    for target in refused + ["/public/../x", "/public/%2e%2e/x", "/public/a%00"]:
        check_problem(proxy.call("GET", target), "ambiguous_path")
    assert len(upstream.requests) == len(allowed)
