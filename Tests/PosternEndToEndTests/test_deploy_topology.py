"""deploy/compose.yaml, run as it stands but without containers: three services behind their Posterns, four replicas of one."""
import json
import subprocess
import sys
import time

import pytest

from harness.deployment import DEPLOY, flow, topology
from harness.net import wait_until
from harness.table import table

REPLICAS = 4
MESSAGE = {"to": "alice", "medium": "push", "subject": "A margin call", "text": "at 50 %"}


@pytest.fixture(scope="module")
def running():
    deployment = topology(scale={"mt5-postern": REPLICAS})
    yield deployment
    assert not [name for name in deployment.processes if name != "issuer-setup" and not deployment.running(name)]
    codes = deployment.stop()
    assert set(codes.values()) == {0}, codes


@pytest.fixture(scope="module")
def callers(running):
    return flow.Flow(running)


@pytest.fixture(scope="module")
def tokens(callers):
    """A token of each caller; None is nobody."""
    return {"dashboard": callers.token(), "service": callers.token("mt5-api-service"), "alice": callers.login(), None: None}


def replicas(deployment):
    return [name for name in deployment.sidecars() if name.startswith("mt5-postern")]


REFERENCE = table(
    ("mt5: health", None, "mt5-api", "GET", "/health", None, 200, None),
    ("mt5: nobody", None, "mt5-api", "GET", "/api/v1/trades", None, 401, "missing_token"),
    ("mt5: the dashboard reads trades", "dashboard", "mt5-api", "GET", "/api/v1/trades", None, 200, None),
    ("mt5: the dashboard opens one", "dashboard", "mt5-api", "POST", "/api/v1/trades",
     {"symbol": "EURUSD", "side": "buy", "volume": 0.1}, 201, None),
    ("mt5: the dashboard closes one", "dashboard", "mt5-api", "DELETE", "/api/v1/trades/700001", None, 403, "insufficient_scope"),
    ("mt5: the service closes one", "service", "mt5-api", "DELETE", "/api/v1/trades/700001", None, 200, None),
    ("mt5: the service reads a balance", "service", "mt5-api", "GET", "/api/v1/account/balance", None, 200, None),
    ("mt5: the service reads statistics", "service", "mt5-api", "GET", "/api/v1/admin/stats", None, 403, "insufficient_scope"),
    ("account: alice reads her profile", "alice", "account", "GET", "/api/v1/profiles/alice", None, 200, None),
    ("account: alice reads another's", "alice", "account", "GET", "/api/v1/profiles/bob", None, 403, "access_denied"),
    ("account: alice changes hers", "alice", "account", "PUT", "/api/v1/profiles/alice", {"language": "fr"}, 200, None),
    ("account: the dashboard changes hers", "dashboard", "account", "PUT", "/api/v1/profiles/alice", {}, 403, "access_denied"),
    ("account: the dashboard lists profiles", "dashboard", "account", "GET", "/api/v1/profiles", None, 200, None),
    ("account: the service lists them", "service", "account", "GET", "/api/v1/profiles", None, 403, "insufficient_scope"),
    ("account: the service reads balances", "service", "account", "GET", "/api/v1/balances", None, 200, None),
    ("account: one balance", "service", "account", "GET", "/api/v1/balances/acc-1001", None, 200, None),
    ("notification: the service sends", "service", "notification", "POST", "/api/v1/notifications", MESSAGE, 202, None),
    ("notification: the dashboard sends", "dashboard", "notification", "POST", "/api/v1/notifications", MESSAGE, 403,
     "insufficient_scope"),
    ("notification: the service lists", "service", "notification", "GET", "/api/v1/notifications", None, 403, "insufficient_scope"),
    ("notification: alice's preferences", "alice", "notification", "GET", "/api/v1/preferences/alice", None, 200, None),
    ("notification: another's", "alice", "notification", "GET", "/api/v1/preferences/bob", None, 403, "access_denied"),
    ("a path that nobody declared", "service", "notification", "GET", "/api/v1/outbox", None, 403, "route_not_declared"),
)


@pytest.mark.parametrize("caller, service, method, path, body, status, code", REFERENCE)
def test_the_reference_flow(callers, tokens, caller, service, method, path, body, status, code):
    answer = callers.call(service, method, path, tokens[caller], body=body, headers={"X-User-Id": "forged", "x_client_id": "forged"})
    assert answer.status == status, answer.text
    if code:
        assert answer.json()["code"] == code
    else:
        assert "forged" not in json.dumps(answer.json()["caller"])


@pytest.mark.parametrize("service, port", [("mt5", 8001), ("account-service", 8002), ("notification-service", 8003)])
def test_a_service_is_where_only_its_own_postern_looks(running, service, port):
    """It listens on the loopback address of its Postern's network namespace, and Postern's policy names exactly that."""
    each = running.services[service]
    assert each.namespace != service and each.namespace.endswith("-postern")
    policy = running.policy(each.namespace).read_text()
    assert "upstream: http://%s:%d" % (running.places.address(each), port) in policy


def test_the_services_own_client_notifies(running):
    """The notifier went to the issuer, through the MT5 API's Postern and through the notification service's."""
    wait_until(lambda: "(202)" in running.said("mt5-notifier"), 10, "a notification to be sent")
    assert '"x-client-id":"mt5-api-service"' in running.said("mt5-notifier")

    def logged():
        return [line for line in running.said("notification-postern").splitlines()
                if '"POST /api/v1/notifications"' in line and '"client_id":"mt5-api-service"' in line]

    line = json.loads(wait_until(logged, 5, "an access line of it")[0])
    assert (line["status"], line["decision"], line["client"]) == (202, "permit", "127.0.0.1"), line


def test_every_replica_serves_and_none_takes_a_revoked_token(running, callers):
    """What one is told over Redis, all know: the token was in every one's cache before."""
    names = replicas(running)
    assert len(names) == REPLICAS
    revoked, kept = callers.token(), callers.token()
    for name in names:
        for token in (revoked, kept):
            assert callers.call(name, "GET", "/api/v1/trades", token).status == 200
    callers.revoke(revoked)
    callers.until_refused(names, "GET", "/api/v1/trades", revoked)
    for name in names:
        assert callers.call(name, "GET", "/api/v1/trades", kept).status == 200


def test_a_replica_that_starts_later_knows_what_was_revoked_before(running, callers):
    token = callers.token()
    callers.revoke(token)
    name = "mt5-postern-%d" % REPLICAS
    assert running.end(name) == 0
    running.start(name)
    running.await_healthy(name)
    assert callers.call(name, "GET", "/api/v1/trades", token).status == 401
    assert callers.call(name, "GET", "/api/v1/trades", callers.token()).status == 200


def test_a_changed_policy_takes_effect_while_it_runs(running, callers, tokens):
    """The folder of policies is mounted, and watched."""
    file = running.policy("account-postern")
    text = file.read_text()
    try:
        file.write_text(text.replace("GET /api/v1/balances: {scopes: account:balance}", "GET /api/v1/balances: deny"))
        wait_until(lambda: callers.call("account", "GET", "/api/v1/balances", tokens["service"]).status == 403, 5, "the new policy")
    finally:
        file.write_text(text)
    wait_until(lambda: callers.call("account", "GET", "/api/v1/balances", tokens["service"]).status == 200, 5, "the old policy")


def test_setting_up_again_changes_nothing(running, callers):
    before = running.secret("trading-dashboard")
    token = callers.token()
    running.start("issuer-setup")
    assert running.processes["issuer-setup"].wait(20) == 0, running.said("issuer-setup")
    assert running.secret("trading-dashboard") == before
    assert callers.call("mt5-api", "GET", "/api/v1/trades", token).status == 200


def test_a_set_up_that_was_broken_off_is_finished(running, callers):
    """A client whose secret was not written down gets a new one."""
    before = running.secret("trading-dashboard")
    (running.folder / "volumes" / "clients" / "trading-dashboard" / "secret").unlink()
    running.start("issuer-setup")
    assert running.processes["issuer-setup"].wait(20) == 0, running.said("issuer-setup")
    assert running.secret("trading-dashboard") != before
    assert callers.call("mt5-api", "GET", "/api/v1/trades", callers.token()).status == 200


def test_no_secret_is_in_a_command_line_or_a_log(running):
    values = [each.read_text().strip() for each in (running.folder / "secrets").iterdir()]
    values += [running.secret(name) for name in ("admin", "mt5-api-service", "trading-dashboard", "alice")]
    assert len(set(values)) == len(values) and all(len(each) >= 32 for each in values)
    lines = [" ".join(process.args if isinstance(process.args, list) else [process.args]) for process in running.processes.values()]
    for name, process in running.processes.items():
        if process.poll() is None:
            with open("/proc/%d/cmdline" % process.pid, encoding="utf-8") as file:
                lines.append(file.read().replace("\0", " "))
    shown = "\n".join(lines + [running.said(name) for name in running.processes])
    assert [value for value in values if value in shown] == []


def test_the_command_proves_it_and_ends(tmp_path):
    """What `make topology` runs, once."""
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-B", "-m", "topology", "--once"], cwd=str(DEPLOY / "local"), encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=35, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "revoked: 4 sidecars" in done.stdout, done.stdout
    assert time.monotonic() - begun < 30
