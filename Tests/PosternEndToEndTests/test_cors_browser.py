"""Cross-origin requests as a real browser makes them: what JavaScript of a page can read of Postern's answers."""
import json

import pytest

from harness import browser
from harness import config as configs
from harness import scripts
from harness.net import free_port

pytestmark = pytest.mark.skipif(browser.find() is None, reason="no headless Chromium on this machine")


@pytest.fixture
def page():
    pages = []

    def opener():
        pages.append(browser.Page())
        return pages[-1]

    yield opener
    for each in pages:
        each.stop()


def bearer(token):
    return {"Authorization": "Bearer " + token}


def test_a_page_of_an_allowed_origin_reads_answers_and_refusals(start, upstream, page, tmp_path):
    home = page()
    proxy = start(configs.config(
        upstream, cors={"origins": [home.origin], "expose": ["X-Total"]}, limits={"body": "1KiB"},
        more_routes={"GET /gone": {"issuers": ["main"], "upstream": "http://127.0.0.1:%d" % free_port()}}))
    url = "http://127.0.0.1:%d" % proxy.port
    # The service has its own, contradicting opinion.
    upstream.default = scripts.answer(fields=["Access-Control-Allow-Origin: *", "X-Total: 7", "X-Hidden: 1"])
    good = bearer(configs.token(scope="trade:read account:read"))
    seen = home.visit(
        tmp_path,
        (url + "/api/v1/trades", {"headers": dict(good, **{"X-Own": "a"})}),
        (url + "/health", {}),
        (url + "/api/v1/trades", {}),
        (url + "/api/v1/trades", {"headers": bearer("e30.e30.x")}),
        (url + "/api/v1/trades/7", {"method": "DELETE", "headers": good}),
        (url + "/nowhere", {"headers": good}),
        (url + "/gone", {"headers": good}),
        (url + "/auth", {"method": "POST", "headers": good, "body": "x" * 2000}),
        (url + "/api/v1/account", {"method": "PUT", "headers": good}),
    )
    assert [each.get("status") for each in seen] == [200, 200, 401, 401, 403, 403, 502, 413, None]
    assert seen[0]["body"] == "ok" and seen[0]["headers"]["x-total"] == "7"
    assert "x-hidden" not in seen[0]["headers"]
    codes = [json.loads(each["body"])["code"] for each in seen[2:8]]
    assert codes == ["missing_token", "invalid_token", "insufficient_scope", "route_not_declared", "upstream_unavailable",
                     "content_too_large"]
    assert 'error="invalid_token"' in seen[3]["headers"]["www-authenticate"]
    for each in seen[2:8]:
        assert each["headers"]["x-request-id"] == json.loads(each["body"])["request_id"]
    assert seen[8] == {"error": "TypeError"}, "PUT is declared by no route of the path: the browser does not send it"
    assert [each.method for each in upstream.requests] == ["GET", "GET"], "no preflight, and nothing refused, reached the service"


def test_a_page_of_another_origin_reads_nothing(start, upstream, page, tmp_path):
    home, other = page(), page()
    proxy = start(configs.config(upstream, cors={"origins": [home.origin]}))
    url = "http://127.0.0.1:%d" % proxy.port
    upstream.default = scripts.answer(fields=["Access-Control-Allow-Origin: *"])
    seen = other.visit(
        tmp_path, (url + "/auth", {"headers": bearer(configs.token())}), (url + "/auth", {}), (url + "/health", {}))
    assert seen == [{"error": "TypeError"}] * 3
    assert [each.target for each in upstream.requests] == ["/health"], "what needs a preflight is not even sent"


def test_every_origin_with_a_star(start, upstream, page, tmp_path):
    proxy = start(configs.config(upstream, cors={"origins": "*"}))
    url = "http://127.0.0.1:%d" % proxy.port
    seen = page().visit(tmp_path, (url + "/auth", {"headers": bearer(configs.token())}), (url + "/auth", {}))
    assert [each.get("status") for each in seen] == [200, 401]


def test_the_service_answers_preflights_that_are_forwarded(start, upstream, page, tmp_path):
    home = page()
    proxy = start(configs.config(upstream, cors={"preflight": "forward"}))
    url = "http://127.0.0.1:%d" % proxy.port
    upstream.default = scripts.answer(fields=[
        "Access-Control-Allow-Origin: " + home.origin, "Access-Control-Allow-Headers: Authorization"])
    seen = home.visit(tmp_path, (url + "/auth", {"headers": bearer(configs.token())}))
    assert [each.get("status") for each in seen] == [200]
    assert [each.method for each in upstream.requests] == ["OPTIONS", "GET"]
    assert "authorization" not in upstream.requests[0].names()
    assert upstream.requests[1].header("x-user-id")


def test_without_cors_a_browser_keeps_its_pages_out(start, upstream, page, tmp_path):
    proxy = start(configs.config(upstream))
    url = "http://127.0.0.1:%d" % proxy.port
    seen = page().visit(tmp_path, (url + "/auth", {"headers": bearer(configs.token())}), (url + "/health", {}))
    assert seen == [{"error": "TypeError"}] * 2
