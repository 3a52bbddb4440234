"""The end of a pod, as deploy/kubernetes has it: the sidecar's hook, run in a process namespace where Postern is process 1."""
import os
import subprocess
import threading

import pytest
import yaml

from harness import config as configs
from harness import scripts
from harness.deployment import read
from harness.net import free_port, wait_until
from harness.process import binary, environment
from harness.raw import RawClient, head

HOOK = read("kubernetes/components/sidecar/sidecar.yaml")["spec"]["template"]["spec"]["initContainers"][0]["lifecycle"]["preStop"]


def may_unshare():
    """Whether this user may make process namespaces, as root may nearly everywhere."""
    return subprocess.run(["unshare", "--pid", "--fork", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


class FirstProcess:
    """A postern that is process 1 of its own namespace, as in a container."""

    def __init__(self, folder, config):
        (folder / "proxy.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        self.status = int(config["admin"]["status"].rpartition(":")[2])
        words = [binary("postern"), "run", "--config", str(folder / "proxy.yaml")]
        self.outer = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child=KILL", *words], env=environment(),
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.inner = wait_until(self._child, 5, "the process in the namespace")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.outer.kill()
        self.outer.wait(5)

    def _child(self):
        with open("/proc/%d/task/%d/children" % (self.outer.pid, self.outer.pid), encoding="ascii") as file:
            return [int(each) for each in file.read().split()]

    def execute(self, words):
        """What the kubelet does with a hook: runs it beside process 1, until it ends; its exit code."""
        return subprocess.run(["nsenter", "--target", str(self.inner[0]), "--pid", *words], timeout=20, check=False,
                              env=dict(os.environ)).returncode

    def ready(self):
        """The status of /readyz, None if nobody answers."""
        try:
            with RawClient(self.status) as client:
                return client.send(head("GET", "/readyz")).response().status
        except (OSError, AssertionError):
            return None


@pytest.mark.skipif(not may_unshare(), reason="this user may not make process namespaces")
def test_the_hook_drains_while_the_service_still_serves(upstream, tmp_path):
    """Requests in flight finish, the answer says that the connection ends, the exit code is 0."""
    gate = threading.Event()
    upstream.script(scripts.after(gate, scripts.answer(200, b"finished")))
    port, status = free_port(), free_port()
    config = configs.config(upstream, listen="127.0.0.1:%d" % port, timeouts={"drain": "10s"}, admin={
        "address": "127.0.0.1:%d" % free_port(), "status": "127.0.0.1:%d" % status})
    hook = [word.replace("sleep 5", "sleep 0.1") for word in HOOK["exec"]["command"]]
    assert hook != HOOK["exec"]["command"]
    with FirstProcess(tmp_path, config) as postern:
        wait_until(lambda: postern.ready() == 200, 10, "postern to be ready")
        with RawClient(port) as client:
            client.send(head("GET", "/health"))
            upstream.wait(1)
            assert postern.execute(hook) == 0
            wait_until(lambda: postern.ready() == 503, 5, "/readyz to turn 503")
            gate.set()
            answer = client.response()
            assert (answer.status, answer.body, answer.header("connection").lower()) == (200, b"finished", "close")
        assert postern.outer.wait(10) == 0
