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
from harness.devtools import status_page
from harness.introspection import Answer, IntrospectionServer, claims
from harness.keyserver import KeyServer
from harness.net import free_port, wait_until

pytestmark = pytest.mark.skipif(browser.find() is None, reason="no headless Chromium on this machine")


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
            "legacy": configs.introspection(asked, revocation="redis"),
            "hmac": configs.issuer(issuer="https://hmac.test", algorithms=["HS256"], keys={"secret": "a-shared-secret-of-the-tests-0123"}),
        },
        "redis": configs.redis(module_redis),
        "event_loops": 2,
        "more_routes": {"GET /api/v1/reports/{id}": {"scopes": "trade:read", "timeout": "5s", "roles": "auditor"}},
    }


@pytest.fixture(scope="module")
def shared_tab(chromium, proxy):
    """A page for what is computed in it."""
    tab = status_page(chromium, "http://127.0.0.1:%d/" % proxy.admin)
    yield tab
    tab.close()


def drive(proxy, rounds, peer=None):
    """Some of everything that can become of a request. A `peer` with the same Redis has asked about a token before."""
    reader, opaque = configs.token(scope="trade:read account:read"), "opaque-%d" % (rounds % 5)
    for _ in range(2 + rounds % 4):
        assert proxy.call("GET", "/api/v1/trades", token=reader).status == 200
    assert proxy.call("GET", "/api/v1/trades", token=opaque).status == 200
    if peer is not None:
        for each in (peer, proxy):
            assert each.call("GET", "/api/v1/trades", token="shared-%d" % rounds).status == 200
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


def test_page_with_traffic_in_light_and_dark(page, proxy, start, upstream, tmp_path):
    folder = pathlib.Path(os.environ.get("STATUS_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    tabs = {"light": page(width=1200, height=1500), "dark": page(width=1200, height=1500, dark=True)}
    peer = start(dict(proxy.config, listen="127.0.0.1:%d" % free_port(), admin="127.0.0.1:%d" % free_port()))
    began, step, number = time.monotonic(), float(os.environ.get("STATUS_SECONDS", 0)) / 25, 0
    for poll in range(25):
        while number == poll or time.monotonic() < began + poll * step:
            drive(proxy, number, peer)
            number += 1
        for tab in tabs.values():
            tab.evaluate("poll()")
    for name, tab in tabs.items():
        tab.evaluate("document.getElementById('every').value = '2000'")
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
    assert tabs["light"].evaluate("tier(readings.last, 'redis').hit") >= 25
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
def test_percentiles_of_a_histogram(shared_tab, counts, share, expected):
    found = shared_tab.evaluate(
        "(() => { const value = percentile([1, 2], %s, %s); return value === Infinity ? 'Infinity' : value; })()" % (counts, share))
    assert found == (pytest.approx(expected) if isinstance(expected, float) else expected)


REMOTE = {"name": "a", "issuer": "https://a", "validation": "fetched keys", "revocation": "off"}
KEYS = {"present": True, "age_seconds": 61, "refreshes": 1, "failures": 3, "failures_in_a_row": 0}
ASKED = dict(REMOTE, validation="introspection", revocation="required")
RESULTS = {"circuit": "closed", "under_way": 2, "results": {"active": 5, "timeout": 0}}
SERVICE = {"url": "http://a", "healthy": None, "trouble": None}
CHECKED = dict(SERVICE, healthy=True, checks=1, failed_checks=0)
HEARD = {"up": True, "known": True, "down_seconds": 0, "count": 3, "malformed": 0}


@pytest.mark.parametrize("row, said, state, details", [
    ("issuerRow", dict(REMOTE, keys=KEYS), "keys fresh", "fetched keys, last refresh 1m 1s ago, refreshed 1 time, 3 failures"),
    ("issuerRow", dict(REMOTE, keys=dict(KEYS, failures_in_a_row=2)), "keys, not refreshed", "last refresh 1m 1s ago"),
    ("issuerRow", dict(REMOTE, keys=dict(KEYS, present=False, age_seconds=None)), "no keys", "never refreshed"),
    ("issuerRow", dict(REMOTE, validation="keys of a file"), "keys at hand", "keys of a file"),
    ("issuerRow", dict(ASKED, introspection=RESULTS), "asked", "introspection, 2 under way, active 5, revocation required"),
    ("issuerRow", dict(ASKED, introspection=dict(RESULTS, circuit="open")), "not asked: it fails", "introspection"),
    ("upstreamRow", SERVICE, "no trouble", "no health check"),
    ("upstreamRow", dict(SERVICE, trouble="connection refused"), "unreachable", "no health check, connection refused"),
    ("upstreamRow", CHECKED, "well", "1 check passed, 0 failed"),
    ("upstreamRow", dict(CHECKED, trouble="reset"), "trouble", "reset"),
    ("upstreamRow", dict(CHECKED, healthy=False), "not well", "1 check passed"),
    ("redisRow", None, "not configured", "each process caches alone"),
    ("redisRow", {"url": "redis://a", "up": None}, "not tried yet", ""),
    ("redisRow", {"url": "redis://a", "up": True}, "up", ""),
    ("redisRow", {"url": "redis://a", "up": False}, "down", "requests go on"),
    ("revocationRow", None, "not used", "no issuer has them on"),
    ("revocationRow", HEARD, "heard of", "3 hold"),
    ("revocationRow", dict(HEARD, up=False, down_seconds=90), "not heard of", "3 hold, for 1m 30s"),
    ("revocationRow", dict(HEARD, up=False, known=False), "unknown", "3 hold"),
])
def test_every_state_has_its_words(shared_tab, row, said, state, details):
    cells = shared_tab.evaluate("[...%s(%s).cells].map((cell) => cell.textContent)" % (row, json.dumps(said)))
    assert cells[2] == state and details in cells[3], cells


def test_another_process_at_the_address_begins_anew(shared_tab):
    found = shared_tab.evaluate("""(() => {
      const one = (uptime, requests) => ({service: "a", process: {uptime_seconds: uptime}, traffic: {requests}});
      const made = new Readings();
      const seen = [];
      for (const each of [one(10, 5), one(12, 9), one(70, 30), one(75, 30), one(3, 40), one(5, 50), one(6, 49)]) {
        made.add(each);
        seen.push([made.samples.length, made.rate((status) => status.traffic.requests)]);
      }
      return seen;
    })()""")
    assert found == [[1, None], [2, 2], [3, 25 / 60], [4, 21 / 63], [1, None], [2, 5], [1, None]]


def test_ten_thousand_routes_are_searched_and_shown_in_part(shared_tab):
    found = shared_tab.evaluate("""(() => {
      const before = {default: policy.fallback, routes: policy.routes};
      const route = (_, n) => ({route: `GET /r${n}`, methods: "GET", path: `/r${n}`, needs: "a valid token", access: "required", overrides: []});
      takePolicy({default: policy.fallback, routes: Array.from({length: 10000}, route)});
      const shown = ["", "r99"].map((words) => {
        byID("search").value = words;
        showPolicy(readings);
        return [byID("routes").rows.length, byID("matches").textContent];
      });
      byID("search").value = "";
      takePolicy(before);
      showPolicy(readings);
      return shown;
    })()""")
    assert found == [[250, "10,000 of 10,000 routes, the first 250 are shown"], [111, "111 of 10,000 routes"]]


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


# Changes


def test_reload_readiness_and_loss_are_said(start, upstream, chromium):
    config = configs.config(upstream)
    proxy = start(config)
    tab = status_page(chromium, "http://127.0.0.1:%d/" % proxy.admin)
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
