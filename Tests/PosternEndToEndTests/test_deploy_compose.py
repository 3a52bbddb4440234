"""deploy/compose.yaml, the Dockerfile, the policies: read by Compose itself, and held against each other."""
import json
import os
import re
import subprocess

import pytest
import yaml

from harness.deployment import DEPLOY, POLICIES, check_policy, description, port, read, secrets, tool
from harness.net import free_port
from harness.process import ROOT, binary, environment
from harness.scripts import answer
from harness.upstream import RecordingUpstream

OURS = {"postern", "postern-issuer", "trading-demo"}


@pytest.fixture(scope="module")
def compose():
    """The file as Compose reads it, with every profile."""
    done = tool("docker-compose", "-f", DEPLOY / "compose.yaml", "--profile", "*", "config", "--format", "json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def services():
    """The file as `make topology` reads it."""
    return description.read({}, ["monitoring"])


def stage_lines():
    """{stage of the Dockerfile: its instructions}, continuation lines joined."""
    found = {}
    for line in re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text()).splitlines():
        if line.startswith("FROM "):
            name = line.split()[-1]
            found[name] = [line]
        elif line and not line.startswith("#") and found:
            found[name].append(line)
    return found


def test_both_readers_of_the_file_agree(compose, services):
    assert set(compose["services"]) == set(services)
    for name, each in services.items():
        other = compose["services"][name]
        assert {key: str(value) for key, value in each.environment.items() if key in (other.get("environment") or {})} == (
            other.get("environment") or {}), name
        written = [word.replace("$$", "$") for word in (other.get("entrypoint") or []) + (other.get("command") or [])]
        assert written == each.command[len(each.command) - len(written):], name
        assert {mount[0] for mount in each.mounts} == (
            {mount["target"] for mount in other.get("volumes", [])} | set(other.get("tmpfs", []))), name


def test_every_container_is_confined(compose):
    for name, each in compose["services"].items():
        assert each["read_only"] and each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert not each.get("privileged") and not each.get("cap_add"), name


def test_images_are_pinned(compose):
    for name, each in compose["services"].items():
        tag = each["image"].rpartition(":")[2]
        assert "build" in each or re.match(r"v?\d+\.\d+[.-]", tag), (name, each["image"])
    for line in re.findall(r"^ARG \w+_BASE=(.+)$", (ROOT / "Dockerfile").read_text(), re.M):
        assert re.search(r":\d+\.\d+\.\d+-|:bookworm-\d{8}-slim|@sha256:", line), line


def test_a_service_is_reachable_through_its_postern_alone(compose):
    """It has no network, no port and no name of its own, and listens on loopback, where its Postern's policy looks."""
    demos = {name: each for name, each in compose["services"].items() if each["image"].startswith("trading-demo:")}
    assert len(demos) == 3
    for name, each in demos.items():
        sidecar = each["network_mode"].partition(":")[2]
        assert compose["services"][sidecar]["image"].startswith("postern:"), name
        assert not each.get("ports") and not each.get("networks"), name
        listens = dict(zip(each["command"][1::2], each["command"][2::2]))
        assert listens["--host"] == "127.0.0.1", name
        policy = read(compose["services"][sidecar]["environment"]["POSTERN_CONFIG"].replace("/etc/postern/", "policies/"))
        assert policy["upstream"] == "http://127.0.0.1:" + listens["--port"], name


def test_published_ports_are_for_this_machine_alone(compose):
    for name, each in compose["services"].items():
        for published in each.get("ports", []):
            assert published["host_ip"] == "127.0.0.1", name
            if each["image"].startswith("postern:"):
                policy = read(each["environment"]["POSTERN_CONFIG"].replace("/etc/postern/", "policies/"))
                assert published["target"] == port(policy["listen"]), name


def test_state_is_out_of_the_callers_reach(compose):
    assert compose["networks"]["state"]["internal"]
    for name in ("redis", "postgres"):
        assert set(compose["services"][name]["networks"]) == {"state"} and not compose["services"][name].get("ports")
    assert "state" not in compose["services"]["mt5-notifier"]["networks"]


def test_a_drain_fits_into_the_time_to_stop(compose):
    drain = 25  # seconds, where a policy does not say otherwise
    for name, each in compose["services"].items():
        if each["image"].startswith("postern:"):
            policy = read(each["environment"]["POSTERN_CONFIG"].replace("/etc/postern/", "policies/"))
            assert "drain" not in policy.get("timeouts", {}) and int(each["stop_grace_period"].rstrip("s")) > drain, name


@pytest.mark.parametrize("file", POLICIES, ids=lambda path: path.stem)
def test_every_policy_is_good(file, tmp_path):
    check_policy(file, secrets(tmp_path))


@pytest.mark.parametrize("file", POLICIES, ids=lambda path: path.stem)
def test_every_policy_is_good_for_an_issuer_and_a_redis_elsewhere(file, tmp_path):
    variables = {"ISSUER_URL": "https://issuer.example", "POSTERN_REDIS_URL": "rediss://cache.example:6380/0"}
    check_policy(file, secrets(tmp_path), **variables)
    shown = subprocess.run([binary("postern"), "routes", "--config", str(file)], check=False, stdout=subprocess.PIPE, encoding="utf-8",
                           env=environment(POSTERN_SECRETS=str(tmp_path), **variables)).stdout
    assert "GET     /health" in shown and "denied to everybody" in shown


def test_every_policy_has_its_own_audience_and_one_issuer():
    """A token that one service could be given alone is good for no other."""
    found = [yaml.safe_load(each.read_text()) for each in POLICIES]
    audiences = [tuple(each["issuers"]["permiso"]["audiences"]) for each in found]
    assert len(set(audiences)) == len(found) == 3
    issuer = read("compose.yaml")["services"]["issuer"]["environment"]
    assert {each for one in audiences for each in one} == set(issuer["POSTERN_ISSUER_AUDIENCE"].split())
    for each in found:
        assert each["issuers"]["permiso"]["issuer"] == "${ISSUER_URL:-%s}" % issuer["POSTERN_ISSUER_ISSUER"]
        assert each["redis"]["url"] == "${POSTERN_REDIS_URL:-%s/0}" % issuer["POSTERN_ISSUER_REDIS"].rpartition("/")[0]


@pytest.mark.parametrize("target", sorted(OURS))
def test_an_image_runs_without_rights_and_says_whether_it_is_well(target):
    lines = stage_lines()[target]
    assert lines[0] == "FROM runtime AS " + target
    assert "USER 10001:10001" in lines
    assert any(line.startswith("HEALTHCHECK ") for line in lines)
    assert any("org.opencontainers.image.title=\"%s\"" % target in line for line in lines)
    assert any("org.opencontainers.image.revision" in line for line in stage_lines()["runtime"])


def test_what_the_dockerfile_copies_is_sent_to_the_builder():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for source in re.findall(r"^COPY (?:--chmod=\d+ )?(\S+) \S+$", (ROOT / "Dockerfile").read_text(), re.M):
        if not source.startswith("--from"):
            assert "!" + source.rstrip("/") in ignored and (ROOT / source).exists(), source


def healthy(*arguments):
    return subprocess.run([str(DEPLOY / "compose" / "http-healthy.sh"), *[str(each) for each in arguments]], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=10).returncode == 0


def test_the_health_check_of_images():
    with RecordingUpstream() as server:
        for status, well in ((200, True), (500, False), (404, False)):
            server.default = answer(status)
            assert healthy(server.port) is well
        assert server.requests[-1].target == "/health"
        assert not healthy(server.port, "/other") and server.requests[-1].target == "/other"
    assert not healthy(free_port())


def test_the_health_check_does_not_wait_for_ever():
    with RecordingUpstream() as server:
        server.default = lambda exchange: exchange.until_peer_closes()
        assert not healthy(server.port)


def test_secrets_are_made_once(tmp_path):
    first = {each.name: each.read_text() for each in secrets(tmp_path / "s").iterdir()}
    assert set(first) == set(read("compose.yaml")["secrets"])
    assert len(set(first.values())) == len(first) and all(re.fullmatch("[0-9a-f]{64}", each) for each in first.values())
    (tmp_path / "s" / "redis_password").unlink()
    second = {each.name: each.read_text() for each in secrets(tmp_path / "s").iterdir()}
    assert {name for name in first if first[name] != second[name]} == {"redis_password"}
    assert os.stat(tmp_path / "s").st_mode & 0o777 == 0o700
