"""deploy/ for the tests: its files, and deploy/local/topology, which runs compose.yaml without containers."""
from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import yaml

from .process import ROOT, binary, environment

DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(DEPLOY / "local"))

from topology import description, flow, running  # noqa: E402,F401

POLICIES = sorted((DEPLOY / "policies").glob("*.yaml"))


def tool(name, *arguments, timeout=60, **options):
    """Runs a program of the virtual environment or of this machine to its end: its CompletedProcess, in text."""
    beside = pathlib.Path(sys.executable).parent / name
    words = [str(beside) if beside.exists() else name] + [str(each) for each in arguments]
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=timeout, check=False,
                          **options)


def secrets(folder):
    """A folder of secrets as deploy/compose/secrets.sh makes it."""
    done = tool(DEPLOY / "compose" / "secrets.sh", folder)
    assert done.returncode == 0, done.stderr
    return folder


def check_policy(file, folder, **variables):
    """Asserts that `postern check --strict` finds nothing in a policy; `folder` has its secrets."""
    done = subprocess.run([binary("postern"), "check", "--strict", str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment(POSTERN_SECRETS=str(folder), **variables), encoding="utf-8", timeout=20, check=False)
    assert done.returncode == 0, done.stdout


def topology(**options):
    """A running deployment; the binaries are those that the other tests run."""
    os.environ["POSTERN_BIN"] = os.path.dirname(binary("postern"))
    return running.Topology(**options)


def read(path):
    """A YAML file of deploy/, by its path there."""
    return yaml.safe_load((DEPLOY / path).read_text())


def port(address):
    """The port of an address `host:port` or of a URL."""
    return int(str(address).rpartition(":")[2].partition("/")[0])
