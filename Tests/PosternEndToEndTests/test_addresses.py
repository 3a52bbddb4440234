"""An upstream whose name has several addresses: as `localhost` has on a host with IPv4 and IPv6."""
import os
import shlex
import subprocess

import pytest

from harness import config as configs
from harness.process import binary
from harness.upstream import RecordingUpstream

NAME = "twofold.test"


@pytest.fixture
def two_addresses(tmp_path, monkeypatch):
    """Makes postern see a hosts file of the test's own, in a mount namespace; NAME is first 127.0.0.1, then 127.0.0.2."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.0.1 %s\n127.0.0.2 %s\n" % (NAME, NAME))
    mount = "mount --bind %s /etc/hosts" % shlex.quote(str(hosts))
    for flags in ("-m", "-rm"):
        seen = subprocess.run(
            ["unshare", flags, "sh", "-c", mount + " && getent ahostsv4 " + NAME], capture_output=True, text=True
        )
        if seen.returncode == 0 and seen.stdout.startswith("127.0.0.1"):
            break
    else:
        pytest.skip("no mount namespace can be had here")
    folder = tmp_path / "bin"
    folder.mkdir()
    wrapper = folder / "postern"
    inner = "%s && exec %s \"$@\"" % (mount, shlex.quote(binary("postern")))
    wrapper.write_text("#!/bin/sh\nexec unshare %s sh -c %s sh \"$@\"\n" % (flags, shlex.quote(inner)))
    os.chmod(str(wrapper), 0o755)
    monkeypatch.setenv("POSTERN_BIN", str(folder))


def test_an_address_that_refuses_is_no_end_while_another_answers(start, two_addresses):
    with RecordingUpstream(host="127.0.0.2") as upstream:
        proxy = start(configs.config("http://%s:%d" % (NAME, upstream.port)))
        for _ in range(3):
            assert proxy.call("GET", "/health").status == 200
        assert len(upstream.connections) == 1, "a connection that works is kept and used again"
        assert proxy.metrics().value("postern_connections", side="upstream") == 1
        assert proxy.metrics().value("postern_upstream_connect_failures_total") == 0
