"""deploy/prometheus and deploy/grafana: read by Prometheus itself, over a running deployment that it scrapes."""
import json
import re
import signal
import urllib.parse

import pytest
import yaml

from harness.deployment import DEPLOY, flow, read, tool, topology
from harness.net import wait_until
from harness.problems import STATUS_OF
from harness.process import ROOT

RULES = read("prometheus/postern.rules.yaml")["groups"]
ALERTS = [rule for group in RULES for rule in group["rules"] if "alert" in rule]
RECORDED = {rule["record"] for group in RULES for rule in group["rules"] if "record" in rule}
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))}
# What a deployment has whose policies ask nobody about tokens.
NOT_IN_THIS_DEPLOYMENT = ("postern_introspections_total", "postern_introspection_circuit_open")


def panels():
    """(dashboard, panel, target) of every query."""
    return [(name, panel, target) for name, board in DASHBOARDS.items() for panel in board["panels"]
            for target in panel.get("targets", [])]


def concrete(expression):
    """A dashboard's query as Grafana would send it, with everything chosen."""
    for name, value in (("$__rate_interval", "20s"), ("$__range", "20s"), ("$namespace", ".*"), ("$service", ".*")):
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def queries():
    """Every expression of the rules and the dashboards."""
    return [rule["expr"] for group in RULES for rule in group["rules"]] + [concrete(each["expr"]) for _, _, each in panels()]


class Monitored:
    """A deployment with its Prometheus, which looks every second instead of every ten."""

    def __init__(self):
        self.topology = topology(profiles=["monitoring"])
        try:
            file = self.topology.folder / "mounts" / "prometheus" / "etc-prometheus" / "prometheus.yaml"
            file.write_text(file.read_text().replace("interval: 10s", "interval: 1s"))
            wait_until(lambda: "ready to receive web requests" in self.topology.said("prometheus"), 20, "Prometheus to be ready")
            self.topology.processes["prometheus"].send_signal(signal.SIGHUP)
            self.use()
            wait_until(self.scraped, 20, "three scrapes of everything")
        except BaseException:
            self.topology.stop()
            raise

    def use(self):
        """Some of everything that has a counter: calls, refusals, a revocation, a login, a wrong secret."""
        callers = flow.Flow(self.topology)
        for _ in range(3):
            token = callers.token()
            for service, path in (("mt5-api", "/api/v1/trades"), ("account", "/api/v1/profiles"), ("notification", "/health")):
                callers.call(service, "GET", path, token)
                callers.call(service, "GET", "/api/v1/nowhere", token)
            callers.revoke(token)
            callers.login()
        flow.send("POST", callers.issuer + "/api/v1/auth/service-token", form={"client_id": "nobody", "client_secret": "none"})

    def ask(self, path, **fields):
        """The `data` of an answer of Prometheus's API."""
        answer = flow.send("GET", "%s/api/v1/%s?%s" % (self.topology.url("prometheus", 9090), path, urllib.parse.urlencode(fields)))
        assert answer.status == 200, answer.text
        return answer.json()["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def scraped(self):
        counted = [int(each["value"][1]) for each in self.query("sum by (job, service) (count_over_time(up[1h]))")]
        return len(counted) == 4 and min(counted) > 3


@pytest.fixture(scope="module")
def monitored():
    made = Monitored()
    yield made
    made.topology.stop()


@pytest.fixture(scope="module")
def exposed(monitored):
    """The names of all metrics that the running processes have."""
    found = set()
    for name, port in (("mt5-api", 9902), ("issuer", 8009)):
        text = flow.send("GET", monitored.topology.url(name, port) + "/metrics").text
        for metric, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
            found |= {metric + suffix for suffix in ("_bucket", "_sum", "_count")} if kind == "histogram" else {metric}
    return found


def test_prometheus_reads_the_files():
    for words in (["check", "config", DEPLOY / "prometheus" / "prometheus.yaml"],
                  ["check", "rules", DEPLOY / "prometheus" / "postern.rules.yaml"]):
        done = tool("promtool", *words)
        assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_only_then():
    done = tool("promtool", "test", "rules", DEPLOY / "prometheus" / "postern.rules.test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    cases = read("prometheus/postern.rules.test.yaml")["tests"]
    tested = {(case["alertname"], bool(case["exp_alerts"])) for each in cases for case in each["alert_rule_test"]}
    assert tested == {(alert["alert"], fires) for alert in ALERTS for fires in (True, False)}


def test_every_alert_has_its_section_in_the_runbook():
    sections = re.findall(r"^## (\S+)$", (ROOT / "Sources" / "postern" / "Postern.docc" / "runbook.md").read_text(), re.M)
    assert sections == [alert["alert"] for alert in ALERTS]
    for alert in ALERTS:
        assert alert["annotations"]["runbook_url"] == "Sources/postern/Postern.docc/runbook.md#" + alert["alert"].lower()
        assert alert["labels"]["severity"] in ("critical", "warning") and alert["annotations"]["summary"]


def test_every_metric_exists(exposed):
    for expression in queries():
        names = set(re.findall(r"\bpostern_[a-z0-9_]+", re.sub(r'"[^"]*"', "", expression.replace("service:postern", "recorded:"))))
        missing = {name for name in names if name not in exposed and name not in NOT_IN_THIS_DEPLOYMENT}
        assert not missing, expression
        assert set(re.findall(r"\bservice:postern_[a-z0-9:]+", expression)) <= RECORDED, expression


def test_metrics_that_this_deployment_has_no_series_of_are_exposed_all_the_same(monitored):
    text = flow.send("GET", monitored.topology.url("mt5-api", 9902) + "/metrics").text
    for name in NOT_IN_THIS_DEPLOYMENT:
        assert "# TYPE %s " % name in text


def test_codes_are_those_of_the_product():
    """A code with another spelling would never be counted."""
    known = set(STATUS_OF) | {"permit", "preflight"}
    for expression in queries():
        for text in re.findall(r'code[!=]~?"([^"]*)"', expression):
            for each in text.split("|"):
                assert any(re.fullmatch(each, code) for code in known), (each, expression)


def test_prometheus_scrapes_everything(monitored):
    targets = monitored.ask("targets")["activeTargets"]
    assert sorted((each["labels"]["job"], each["labels"]["service"], each["health"]) for each in targets) == [
        ("postern", "account", "up"), ("postern", "mt5-api", "up"), ("postern", "notification", "up"),
        ("postern-issuer", "issuer", "up")]


def test_rules_are_evaluated_and_nothing_is_wrong_with_a_deployment_that_is_well(monitored):
    rules = wait_until(lambda: evaluated(monitored), 10, "every rule to be evaluated")
    assert len(rules) == len(ALERTS) + len(RECORDED)
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
    assert [rule["name"] for rule in rules if rule.get("state") == "firing"] == []


def evaluated(monitored):
    rules = [rule for group in monitored.ask("rules")["groups"] for rule in group["rules"]]
    return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None


def test_what_fails_is_seen(monitored):
    """An alert's expression, over a real process whose Redis is gone."""
    monitored.topology.end("redis")
    try:
        for name in ("PosternRedisDown", "PosternIssuerRedisDown"):
            expression = next(alert["expr"] for alert in ALERTS if alert["alert"] == name)
            wait_until(lambda: monitored.query(expression), 10, name, interval=0.1)
    finally:
        monitored.topology.start("redis")
        monitored.topology.await_healthy("redis")


@pytest.mark.parametrize("name, panel, target", panels(), ids=lambda each: each.get("title", each.get("refId")) if isinstance(
    each, dict) else each)
def test_a_panel_has_data(monitored, name, panel, target):
    expression = concrete(target["expr"])
    found = monitored.query(expression)
    if not any(metric in expression for metric in NOT_IN_THIS_DEPLOYMENT):
        wait_until(lambda: monitored.query(expression), 15, "%s: %s" % (name, panel["title"]), interval=0.2)
    labels = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    for series in found:
        assert labels <= set(series["metric"]), (series["metric"], target["legendFormat"])


@pytest.mark.parametrize("name", sorted(DASHBOARDS))
def test_a_dashboard_is_laid_out(name):
    board = DASHBOARDS[name]
    assert board["uid"] == name and len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}", panel["title"]
    assert [each["name"] for each in board["templating"]["list"]] == ["datasource", "namespace", "service"]


def test_grafana_finds_what_is_provisioned():
    services = read("compose.yaml")["services"]
    mounted = dict(each.split(":")[:2] for each in services["grafana"]["volumes"])
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/postern.yaml").read_text())["providers"][0]
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == provider["options"]["path"] + "/postern.json"
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    assert source["url"] == "http://prometheus:9090" and "0.0.0.0:9090" in " ".join(services["prometheus"]["command"])
