"""Sources/postern/Postern.docc/issuer.md: its commands work as they stand, one after the other, in one shell."""
import json
import os
import re
import subprocess

from harness.issuer import IssuerServer
from harness.net import free_port
from harness.process import ROOT, binary, environment
from harness.stores import SQLiteFile

PAGE = ROOT / "Sources" / "postern" / "Postern.docc" / "issuer.md"


def blocks():
    """The commands of the page, block by block."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.S | re.M)


def tour(folder, port):
    """Runs all blocks on that port: what each wrote to standard output."""
    mark = "=== end of a block ==="
    commands = ("\necho; echo '%s'\n" % mark).join(blocks()).replace("127.0.0.1:8000", "127.0.0.1:%d" % port)
    # Whatever happens, the issuer that the page puts into the background ends with the shell.
    script = "set -eu -o pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n" + commands
    env = environment(POSTERN_ISSUER_LISTEN="127.0.0.1:%d" % port, POSTERN_ISSUER_AUDIT_LOG=str(folder / "audit.log"))
    env["PATH"] = os.path.dirname(binary("postern-issuer")) + os.pathsep + env["PATH"]
    done = subprocess.run(["bash", "-c", script], cwd=str(folder), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", timeout=35)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout.split(mark)


def objects(text):
    """The JSON objects that stand one after the other in a text, whatever else is there."""
    decoder, found, index = json.JSONDecoder(), [], text.find("{")
    while index >= 0:
        value, length = decoder.raw_decode(text[index:])
        found.append(value)
        index = text.find("{", index + length)
    return found


def test_the_tour_works_as_it_stands(tmp_path):
    started, registered, users, asked, ended, rotated = tour(tmp_path, free_port())
    assert objects(started) == [{"status": "ok"}]
    assert objects(registered) == objects(users) == []
    hecate, changed, standard = objects(asked)
    assert hecate["valid"] and hecate["username"] == "alice" and hecate["permissions"] == ["account:read"]
    assert changed["permissions"] == standard["permissions"] == ["account:read", "trade:read"]
    assert standard["active"]
    assert objects(ended) == []
    assert set(objects(rotated)[-1]) == {"client_id", "client_secret", "old_secret_valid_until"}


def test_the_page_names_every_path(tmp_path):
    """Each path of the description stands in the table, and nothing stands there that is no path."""
    server = IssuerServer(tmp_path, SQLiteFile(tmp_path))
    try:
        described = {path.partition("/{")[0] for path in server.call("GET", "/openapi.json").json()["paths"]}
    finally:
        server.stop()
    table = PAGE.read_text().partition("## Endpoints")[2].partition("## A tour")[0]
    named = set(re.findall(r"(?<![\w…}])/[a-z0-9._/-]*[a-z0-9]", table))
    assert named == described
