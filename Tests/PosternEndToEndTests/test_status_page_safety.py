"""The status page and who may use it: explain is the command's, other sites get nothing, text stays text, secrets stay secret."""
import json
import re
import signal

import pytest

from harness import browser, devtools
from harness import config as configs
from harness.net import wait_until
from harness.process import run
from harness.raw import RawClient, head

pytestmark = pytest.mark.skipif(browser.find() is None, reason="no headless Chromium on this machine")

SECRET = "a-shared-secret-that-must-not-show-up"


@pytest.fixture(scope="module")
def settings(module_redis):
    return {
        "issuers": {
            "main": configs.issuer(),
            "hmac": configs.issuer(issuer="https://hmac.test", algorithms=["HS256"], keys={"secret": SECRET}),
        },
        "redis": configs.redis(module_redis),
    }


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
    tab = chromium.open("http://%s:%d/" % (devtools.FOREIGN, proxy.admin))
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
