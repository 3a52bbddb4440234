"""The figures of Sources/postern/Postern.docc/operations.md, and of the Kubernetes manifests, are the program's."""
import json
import re
import signal
import time

import pytest
import yaml

from harness import config as configs
from harness import scripts
from harness.certificates import Authority
from harness.load import Load
from harness.net import free_port, wait_until
from harness.process import ROOT
from harness.tls import client_context
from harness.websocket import WebSocketUpstream, dial

PAGE = ROOT / "Sources" / "postern" / "Postern.docc" / "operations.md"
KUBERNETES = ROOT / "deploy" / "kubernetes"
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def seconds(text):
    number, unit = re.fullmatch(r"(\d+) ?(ms|s|m|h)", text).groups()
    return int(number) * UNITS[unit]


@pytest.fixture
def defaults(start, upstream):
    """The timeouts of a configuration that says nothing of them, in seconds."""
    config = configs.config(upstream)
    del config["timeouts"]
    policy = json.loads(start(config).get_admin("/policy").body)
    return {key: seconds(value) for key, value in policy["timeouts"].items()}


def figures(text):
    """{first cell: seconds} of the rows of the page whose second cell is a figure."""
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {row[0]: seconds(row[1]) for row in rows if len(row) == 3 and re.fullmatch(r"\d+ s", row[1])}


def test_the_page_has_the_programs_defaults(defaults):
    text = PAGE.read_text("utf-8")
    found = figures(text)
    assert found["timeouts.drain"] == defaults["drain"]
    assert found["timeouts.drain_delay"] == defaults["drain_delay"]
    table = {cells[3].strip().strip("`"): cells[4].strip() for cells in (line.split("|") for line in text.splitlines())
             if len(cells) == 6 and cells[3].strip().startswith("`timeouts.")}
    assert {key: seconds(value) for key, value in table.items()} == {
        "timeouts.drain_delay": defaults["drain_delay"], "timeouts.drain": defaults["drain"]}


def test_the_sum_of_a_pods_end_works_out(defaults):
    found = figures(PAGE.read_text("utf-8"))
    delay = found["*d*, the hook's sleep"] + defaults["drain_delay"]
    assert found["the service's hook"] >= delay + defaults["drain"] + 2
    assert found["terminationGracePeriodSeconds"] >= found["the service's hook"] + 10


def test_the_manifests_have_the_figures_of_the_page():
    sidecar = KUBERNETES / "components" / "sidecar" / "sidecar.yaml"
    if not sidecar.exists():
        pytest.skip("no manifests here")
    found = figures(PAGE.read_text("utf-8"))
    pod = yaml.safe_load(sidecar.read_text())["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] == found["terminationGracePeriodSeconds"]
    (postern,) = [each for each in pod["initContainers"] if each["name"] == "postern"]
    command = " ".join(postern["lifecycle"]["preStop"]["exec"]["command"])
    assert int(re.search(r"sleep (\d+)", command).group(1)) == found["*d*, the hook's sleep"]
    services = [path for path in KUBERNETES.glob("*/deployment.yaml") if (path.parent / "proxy.yaml").exists()]
    assert services
    for path in services:
        containers = yaml.safe_load(path.read_text())["spec"]["template"]["spec"]["containers"]
        sleeps = [each["lifecycle"]["preStop"]["sleep"]["seconds"] for each in containers]
        assert sleeps == [found["the service's hook"]], path
        policy = yaml.safe_load((path.parent / "proxy.yaml").read_text())
        assert not {"drain", "drain_delay"} & set(policy.get("timeouts", {})), "%s: the sum has other figures" % path


def test_a_drain_ends_within_what_the_sum_leaves_for_it(start, upstream):
    """2 s more than `timeouts.drain`, however busy the connections are."""
    upstream.script(*[scripts.silent] * 4)
    proxy = start(configs.config(upstream, timeouts={"drain": "3s", "response": "60s"}))
    clients = [proxy.client() for _ in range(6)]
    for client in clients[:4]:
        client.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    upstream.wait(4)
    begun = time.monotonic()
    proxy.signal(signal.SIGTERM)
    assert proxy.wait(10) == 0
    assert 3 <= time.monotonic() - begun < 5
    for client in clients:
        client.close()


def test_sigterm_under_load_drops_no_request(start, upstream, tmp_path):
    """Keep-alive connections, plain and over TLS, whose clients try nothing twice; a WebSocket is told to close. What is refused is
    a new connection, and nothing else."""
    authority = Authority(tmp_path)
    tls = dict(zip(("certificate", "key"), map(str, authority.server())))
    secured, token = free_port(), configs.token(lifetime=3600)
    with WebSocketUpstream() as service:
        for _ in range(5):
            proxy = start(configs.config(upstream, timeouts={"drain": "10s"}, event_loops=2, listen=[
                "127.0.0.1:%d" % free_port(), {"address": "127.0.0.1:%d" % secured, "tls": tls}],
                more_routes={"GET /sockets/{rest...}": {"scopes": "trade:read", "upstream": service.url}}))
            plain = Load([proxy.port], lambda _: token, threads=6, pause=0.0005)
            over_tls = Load([secured], lambda _: token, threads=3, pause=0.001, context=client_context(authority))
            with dial(proxy, "/sockets/one", token) as client, plain, over_tls:
                wait_until(lambda: plain.answered > 300 and over_tls.answered > 100, 15)
                proxy.signal(signal.SIGTERM)
                assert proxy.wait(12) == 0
                with pytest.raises(Exception):
                    client.recv(timeout=5)
                assert client.close_code == 1001
            for load in (plain, over_tls):
                assert set(load.statuses) == {200}, load.statuses
                assert {type(each) for each in load.errors} <= {ConnectionRefusedError}, load.errors
                assert len(load.errors) == len(load.threads), "every client was told to leave, and found the listener closed"
            (line,) = [line for line in proxy.lines() if line.get("message") == "drained"]
            assert line["connections_broken"] == "0"
