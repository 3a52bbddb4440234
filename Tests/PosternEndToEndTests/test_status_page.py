"""The status page as people meet it: in a real browser, with a real Redis and issuers, by mouse, keyboard and no eyes at all.

Screenshots are left in STATUS_SCREENSHOTS (else in the folder of the test); STATUS_SECONDS is how long the traffic in them lasts.
"""
import json
import os
import pathlib
import re
import signal
import time

import pytest

from harness import accessible, browser, mint
from harness import config as configs
from harness.devtools import Browser
from harness.introspection import Answer, IntrospectionServer, claims
from harness.keyserver import KeyServer
from harness.net import free_port, wait_until
from harness.process import run
from harness.raw import RawClient, head

pytestmark = pytest.mark.skipif(browser.find() is None, reason="no headless Chromium on this machine")

NEVER = "document.getElementById('every').value = '0'; schedule()"
FOREIGN = "postern.example.com"
SECRET = "a-shared-secret-that-must-not-show-up"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    made = Browser(tmp_path_factory.mktemp("chromium"), hosts={FOREIGN: "127.0.0.1"})
    yield made
    made.stop()


@pytest.fixture(scope="module")
def remote():
    """(a key server, its key)"""
    key = mint.key("ES256")
    server = KeyServer(key)
    yield server, key
    server.stop()


@pytest.fixture(scope="module")
def asked():
    server = IntrospectionServer()
    server.default = Answer(claims(scope="trade:read account:read"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def settings(remote, asked, module_redis):
    return {
        "issuers": {
            "main": configs.issuer(),
            "partner": configs.issuer(issuer="https://partner.test", algorithms=["ES256"], keys={"url": remote[0].url + "/jwks"}),
            "legacy": configs.introspection(asked),
            "hmac": configs.issuer(issuer="https://hmac.test", algorithms=["HS256"], keys={"secret": SECRET}),
        },
        "redis": configs.redis(module_redis),
        "more_routes": {"GET /api/v1/reports/{id}": {"scopes": "trade:read", "timeout": "5s", "roles": "auditor"}},
    }


@pytest.fixture
def page(chromium, proxy):
    """Opens the module's page; every page is without complaints on its console at the end, and has asked nobody else."""
    tabs = []

    def opener(url=None, **arguments):
        tabs.append(chromium.open(url or "http://127.0.0.1:%d/" % proxy.admin, **arguments))
        tabs[-1].until("typeof readings !== 'undefined' && readings.last !== undefined && !asking")
        tabs[-1].evaluate(NEVER)
        return tabs[-1]

    yield opener
    for tab in tabs:
        assert tab.problems() == []
        origin = tab.evaluate("location.origin")
        assert [each for each in tab.requested() if not each.startswith((origin + "/", "data:"))] == []


def drive(proxy, rounds):
    """Some of everything that can become of a request."""
    reader, opaque = configs.token(scope="trade:read account:read"), "opaque-%d" % (rounds % 5)
    for _ in range(2 + rounds % 4):
        assert proxy.call("GET", "/api/v1/trades", token=reader).status == 200
    assert proxy.call("GET", "/api/v1/trades", token=opaque).status == 200
    assert proxy.call("GET", "/health", "X-User-Id: root").status == 200
    assert proxy.call("GET", "/api/v1/account").status == 401
    if rounds % 2:
        assert proxy.call("GET", "/api/v1/account/balance", token=reader).status == 403
        assert proxy.call("GET", "/nowhere").status == 403
    if rounds % 3 == 0:
        assert proxy.call("GET", "/auth", token=configs.token(exp=1000)).status == 401


def rows(tab):
    return tab.evaluate("[...document.querySelectorAll('#routes tr')].map((row) => [...row.cells].map((cell) => cell.innerText))")


# What it looks like


def test_page_with_traffic_in_light_and_dark(page, proxy, upstream, tmp_path):
    folder = pathlib.Path(os.environ.get("STATUS_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    tabs = {"light": page(width=1200, height=1500), "dark": page(width=1200, height=1500, dark=True)}
    pause = float(os.environ.get("STATUS_SECONDS", 0)) / 25
    for number in range(25):
        drive(proxy, number)
        time.sleep(pause)
        for tab in tabs.values():
            tab.evaluate("poll()")
    for name, tab in tabs.items():
        height = tab.evaluate("Math.ceil(document.getElementById('policy').getBoundingClientRect().top + scrollY) + 420")
        path = folder / ("status-%s.png" % name)
        tab.screenshot(path, 1200, height)
        assert 20_000 < path.stat().st_size < 400_000
        print("screenshot:", path)
        assert tab.evaluate(accessible.CONTRAST) == []
        assert tab.evaluate(accessible.STRUCTURE) == []
        drawn = tab.evaluate("[...document.querySelectorAll('.plot svg')].map((each) => each.querySelectorAll('polyline').length)")
        assert len(drawn) == 4 and min(drawn) >= 2, drawn
    assert tabs["light"].evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(245, 246, 248)"
    assert tabs["dark"].evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 21, 26)"
    tab = tabs["light"]
    assert tab.text("#service") == "mt5-api" and tab.text("#health") == "ready"
    tiles = tab.text("#tiles")
    assert "Requests a second" in tiles and "p99" in tiles and "NaN" not in tab.text("main") and "undefined" not in tab.text("main")
    reasons = tab.text("#refusals")
    for code in ("missing_token", "insufficient_scope", "route_not_declared", "invalid_token"):
        assert code in reasons
    parts = tab.text("#parts")
    assert re.search(r"partner.*?keys fresh.*?last refresh \S+", parts, re.S)
    assert re.search(r"legacy.*?asked.*?active \d+", parts, re.S) and re.search(r"Redis.*?up", parts, re.S)


def test_figures_are_those_of_the_metrics(page, proxy, upstream):
    drive(proxy, 1)
    tab = page()

    def settled():
        # A request is counted a moment after its answer.
        tab.evaluate("poll()")
        return tab.evaluate("readings.last.traffic.requests") == proxy.metrics().value("postern_requests_total")

    wait_until(settled, 5, "the count of every request")
    metrics = proxy.metrics()
    assert tab.evaluate("readings.last.traffic.permitted") == metrics.value("postern_decisions_total", code="permit")
    shown = {" ".join(row[:2]): row for row in rows(tab)}
    count = metrics.value("postern_requests_total", route="GET /api/v1/trades")
    assert shown["GET /api/v1/trades"][3] == "{:,}".format(int(count))
    refused = metrics.value("postern_decisions_total", route="GET /api/v1/account", code="missing_token")
    assert shown["GET /api/v1/account"][5].split("\n") == ["%d" % refused, "missing_token %d" % refused]


@pytest.mark.parametrize("counts, share, expected", [
    ([0, 0, 0], 0.5, None), ([4, 0, 0], 0.5, 0.5), ([2, 2, 0], 0.99, 1.98), ([0, 0, 1], 0.5, "Infinity"), ([99, 1, 0], 0.5, 50 / 99),
])
def test_percentiles_of_a_histogram(page, counts, share, expected):
    found = page().evaluate("(() => { const value = percentile([1, 2], %s, %s); return value === Infinity ? 'Infinity' : value; })()"
                            % (counts, share))
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


@pytest.mark.parametrize("dark", [False, True])
def test_small_screen_needs_no_sideways_scrolling(page, dark, tmp_path):
    tab = page(width=360, height=740, dark=dark, reduced_motion=True)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert tab.evaluate(accessible.CONTRAST) == []


# Without a mouse


def test_everything_is_reached_by_tab_and_in_order(page):
    tab = page()
    seen = []
    for _ in range(40):
        tab.press("Tab")
        name = tab.evaluate("(() => { const e = document.activeElement; return e === document.body ? 'BODY' : e.id || e.name || e.innerText; })()")
        if name == "BODY" or (seen and name == seen[0]):
            break
        seen.append(name)
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", name
    wanted = ["Skip to the policy", "Skip to explain", "every", "refusals", "parts", "search", "order", "method", "path", "caller",
              "claims", "headers", "Explain", "/status.json"]
    assert [each for each in seen if each in wanted] == wanted, seen


def test_search_narrows_the_table_and_says_so(page):
    tab = page()
    every = rows(tab)
    assert len(every) == len(configs.ROUTES) + 1
    tab.press("Tab")
    tab.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "policy"
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "search"
    tab.type("GET account: read")
    found = rows(tab)
    assert [each[1] for each in found] == ["/api/v1/trades", "/api/v1/account"], found
    assert tab.text("#matches") == "2 of %d routes" % len(every)
    assert tab.evaluate("document.getElementById('matches').getAttribute('aria-live')") == "polite"
    tab.type("auditor")
    assert [each[:3] for each in rows(tab)] == [["GET", "/api/v1/reports/{id}", "scope trade:read; role auditor\ntimeout 5s"]]
    tab.type("nothing has this")
    assert rows(tab) == [] and tab.text("#matches") == "0 of %d routes" % len(every)
    tab.evaluate("poll()")
    assert rows(tab) == [], "the search outlives an update"


def test_explain_by_keyboard(page, proxy, upstream):
    tab = page()
    tab.evaluate("document.getElementById('path').focus()")
    tab.type("/api/v1/account/balance?secret=1")
    tab.press("Tab")
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.id") == "claims"
    tab.type('{"sub": "u1", "scope": "trade:read"}')
    tab.evaluate("document.getElementById('path').focus()")
    tab.press("Enter")
    tab.until("!document.getElementById('explanation').hidden")
    assert tab.text("#verdict").startswith("Denied: 403 insufficient_scope.")
    assert tab.evaluate("document.getElementById('verdict').getAttribute('aria-live')") == "polite"
    assert tab.evaluate("document.activeElement.innerText") == "Explain"
    assert "secret=1" not in tab.text("#explanation")
    assert tab.evaluate(accessible.CONTRAST) == [] and tab.evaluate(accessible.STRUCTURE) == []


# Explain


QUESTIONS = [
    ("GET", "/api/v1/trades", "claims", '{"sub": "u1", "scope": "trade:read account:read"}', []),
    ("DELETE", "/api/v1/trades/7", "claims", '{"sub": "u1", "scope": "trade:read"}', []),
    ("GET", "/api/v1/trades", "token", None, ["X-User-Id: root", "Accept: text/<b>html</b>"]),
    ("GET", "/nowhere", "none", None, []),
    ("PUT", "/api/v1/trades", "none", None, []),
    ("GET", "/api//v1/%2e%2e/trades", "none", None, []),
]


@pytest.mark.parametrize("method, path, caller, given, headers", QUESTIONS)
def test_explain_says_what_the_command_says(page, proxy, upstream, method, path, caller, given, headers):
    given = configs.token(scope="trade:read account:read") if caller == "token" else given
    before = proxy.metrics().value("postern_requests_total")
    tab = page()
    for name, value in (("method", method), ("path", path), ("headers", "\n".join(headers)), (caller, given)):
        if value:
            tab.evaluate("document.getElementById(%s).value = %s" % (json.dumps(name), json.dumps(value)))
    tab.evaluate("document.querySelector('input[value=%s]').click()" % caller)
    tab.evaluate("document.querySelector('#question button').click()")
    tab.until("!document.getElementById('explanation').hidden")
    arguments = ["explain", method, path, "--format", "json", "--config", proxy.file]
    arguments += ["--" + caller, given] if given else []
    said = json.loads(run("postern", *arguments, *[each for header in headers for each in ("-H", header)]).stdout)
    verdict, shown = tab.text("#verdict"), tab.text("#explanation")
    assert verdict.startswith("Allowed" if said["allowed"] else "Denied: %d %s. %s" % (said["status"], said["code"], said["detail"]))

    def plain(text):
        return re.sub(r", in( \d+[dhms])+", "", re.sub(r"\s+", " ", text))

    for step in said["steps"]:
        assert step["stage"] in shown
        for fact in step["facts"] + [each["text"] for each in step.get("conditions", [])]:
            assert plain(fact) in plain(shown), fact
    for field in said.get("forwarded", {}).get("headers", []) + said.get("answer_headers", []):
        assert "%s: %s" % (field["name"], field["value"]) in shown
    asked = tab.evaluate("fetch('/explain', {method: 'POST', headers: {'Content-Type': 'application/json'}, "
                         "body: JSON.stringify(question())}).then((answer) => answer.text())")
    assert plain(json.dumps(json.loads(asked))) == plain(json.dumps(said)), "the same, member by member"
    assert upstream.requests == [] and proxy.metrics().value("postern_requests_total") == before
    if caller == "token":
        assert given not in asked + shown + verdict + proxy.output()


def post(proxy, body, *fields, host=None, kind="application/json"):
    fields = ["Content-Type: " + kind, "Content-Length: %d" % len(body), "Connection: close"] + list(fields)
    with_host = host or "127.0.0.1:%d" % proxy.admin
    with RawClient(proxy.admin) as client:
        client.send(head("POST", "/explain", *fields, host=with_host) + body)
        return client.response("POST")


def test_explain_is_for_the_listeners_own_page_alone(proxy):
    body = b'{"method": "GET", "path": "/health"}'
    own = "http://127.0.0.1:%d" % proxy.admin
    assert post(proxy, body).status == 200
    assert post(proxy, body, "Origin: " + own, "Sec-Fetch-Site: same-origin").status == 200
    assert post(proxy, body, "Origin: http://evil.example").status == 403
    assert post(proxy, body, "Origin: null").status == 403
    assert post(proxy, body, "Sec-Fetch-Site: cross-site").status == 403
    assert post(proxy, body, host="evil.example.com").status == 403
    assert post(proxy, body, "Origin: http://evil.example.com", host="evil.example.com").status == 403
    assert post(proxy, body, kind="text/plain").status == 415
    assert post(proxy, b" " * 70_000).status == 413
    assert post(proxy, b'{"method": "GET"}').status == 400
    assert proxy.get_admin("/explain").status == 405


def test_page_of_another_site_cannot_use_the_listener(chromium, proxy):
    home = browser.Page()
    try:
        tab = chromium.open(home.origin + "/")
        admin = "http://127.0.0.1:%d" % proxy.admin
        ask = ("fetch(%s, %s).then(async (answer) => answer.type === 'opaque' ? 'opaque' : await answer.text())"
               ".catch((error) => error.name)")
        body = '{"method": "GET", "path": "/health"}'
        for path, options in (
            ("/status.json", {}), ("/policy", {}), ("/", {}),
            ("/explain", {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": body}),
            ("/explain", {"method": "POST", "body": body}),
        ):
            assert tab.evaluate(ask % (json.dumps(admin + path), json.dumps(options))) == "TypeError", path
        assert tab.evaluate(ask % (json.dumps(admin + "/explain"),
                                   json.dumps({"method": "POST", "mode": "no-cors", "body": body}))) in ("opaque", "TypeError")
    finally:
        home.stop()


def test_name_that_was_pointed_here_sees_nothing(chromium, proxy):
    """DNS rebinding: the browser takes the listener for a site of that name."""
    tab = chromium.open("http://%s:%d/" % (FOREIGN, proxy.admin))
    assert "a site of another name may not see this" in tab.text("body")
    for path in ("/status.json", "/policy"):
        assert tab.evaluate("fetch('%s').then((answer) => answer.status)" % path) == 403
    assert tab.evaluate("fetch('/metrics').then((answer) => answer.status)") == 200


# Text stays text, and secrets stay where they are


def test_markup_in_the_configuration_is_shown_as_text(start, upstream, chromium, page):
    evil = "<img/src=x/onerror=document.title='pwned'>"
    proxy = start(configs.config(upstream, issuers={"main": configs.issuer(issuer="https://<b>iss</b>.test/" + evil)}, more_routes={
        "GET /x/%3Cscript%3E": {"scopes": evil, "claims": {"<i>claim</i>": evil}, "roles": "</td><script>document.title='pwned'</script>"},
    }))
    tab = page("http://127.0.0.1:%d/" % proxy.admin)
    tab.evaluate("document.getElementById('path').value = '/x/<svg/onload=alert(1)>'")
    tab.evaluate("document.getElementById('headers').value = %s" % json.dumps("X-Evil: " + evil))
    tab.evaluate("document.querySelector('#question button').click()")
    tab.until("!document.getElementById('explanation').hidden")
    assert evil in tab.text("#routes") and "</td><script>" in tab.text("#routes") and evil in tab.text("#parts")
    proxy.write(proxy.file.read_text() + "\n%s: 1\n" % json.dumps(evil))
    proxy.signal(signal.SIGHUP)
    wait_until(lambda: proxy.metrics().value("postern_reloads_total", result="refused") == 1, 5, "the refusal of the reload")
    tab.evaluate("poll()")
    assert "Last reload (SIGHUP)" in tab.text("#reload") and evil in tab.text("#reload")
    assert tab.evaluate("document.querySelectorAll('main img, main script, main b, main i').length") == 0
    assert "pwned" not in tab.evaluate("document.title")


def test_no_secret_and_no_caller_is_shown(proxy, upstream, page):
    good = configs.token(scope="trade:read account:read", sub="user-that-nobody-sees")
    proxy.call("GET", "/api/v1/trades?query-that-nobody-sees", token=good)
    answer = proxy.get_admin("/status.json")
    text = answer.body.decode() + page().text("body")
    for secret in (SECRET, configs.SEAL, "hsk_", good, "nobody-sees"):
        assert secret not in text
    assert answer.header("cache-control") == "no-store"


# Changes


def test_reload_readiness_and_loss_are_said(start, upstream, chromium):
    config = configs.config(upstream)
    proxy = start(config)
    tab = chromium.open("http://127.0.0.1:%d/" % proxy.admin)
    tab.until("readings.last !== undefined")
    tab.evaluate(NEVER)
    assert tab.text("#health") == "ready" and len(rows(tab)) == len(configs.ROUTES)
    changed = dict(proxy.config, routes={"GET /only": "public"}, issuers=dict(
        config["issuers"], away=configs.issuer(issuer="https://away.test", algorithms=["ES256"], keys={
            "url": "http://127.0.0.1:%d/jwks" % free_port()})))
    proxy.write(changed)
    proxy.signal(signal.SIGHUP)
    proxy.await_state(503)
    tab.evaluate("poll()")
    assert tab.text("#health") == "not ready" and tab.text("#announcement") == "mt5-api is not ready"
    assert tab.text("#missing") == "No keys of issuer away: tokens of it cannot be verified."
    assert re.match(r"Last reload \(SIGHUP\) \ds ago: applied \(1 applied, 0 refused so far\)\.", tab.text("#reload"))
    assert [each[1] for each in rows(tab)] == ["/only"], "the policy in force"
    assert tab.problems() == []
    proxy.stop()
    tab.evaluate("poll()")
    assert tab.text("#lost").startswith("The process does not answer since ")
    assert tab.evaluate("document.getElementById('lost').getAttribute('role')") == "alert"
