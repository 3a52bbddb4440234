"""Runs the commands of a page as they stand, one after the other, in one shell in a folder of its own.

The port numbers of the documents are replaced by free ones, in commands and files, and back in what was printed."""
from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys

from .net import free_port
from .process import ROOT, binary, environment

# What stands in the documents: issuer, services, Postern, its admin and status listeners, the issuer's.
PORTS = ("8000", "8001", "8002", "8003", "8080", "9901", "9902", "8009", "6379")
SCRIPT = """cd "$FOLDER/work"
trap 'status=$?; set +e; for pid in $(jobs -p); do kill "$pid" 2>/dev/null; done; wait; exit $status' EXIT
"""
SECRET = "secret-of-the-dashboard-0123456789abcdef"
# `make release` for a reader whose programs are built: they are put where make puts them.
RELEASE = """make() {
    [ "$*" = release ] && mkdir -p .build/dist && ln -s "$BUILT/postern" "$BUILT/postern-issuer" .build/dist/
}
"""
CONSTRAINTS = ROOT / "Tests" / "PosternEndToEndTests" / "constraints.txt"


class Ports:
    """The document's ports and those of this run."""

    def __init__(self):
        self.real = {}
        for each in PORTS:
            port = str(free_port())
            while port in self.real.values():
                port = str(free_port())
            self.real[each] = port
        self.written = {real: each for each, real in self.real.items()}

    def to_real(self, text):
        return re.sub(r"(?<![\w.])(%s)(?![\w.%%])" % "|".join(PORTS), lambda found: self.real[found.group(1)], text)

    def to_written(self, text):
        return re.sub(r"(?<!\d)(%s)(?!\d)" % "|".join(self.written), lambda found: self.written[found.group(1)], text)


def commands(text):
    """(command, expected output) of each `$ ` in a console block; what follows a line that ends with a backslash, an open
    quotation or heredoc belongs to the command."""
    found = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while _is_open(command):
                command += "\n" + next(lines)
            found.append((command, []))
        else:
            assert found, "output before the first command: " + line
            found[-1][1].append(line)
    return found


def _is_open(command):
    """Whether a shell would go on reading."""
    if command.endswith("\\"):
        return True
    done = subprocess.run(["bash", "-n", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    return "unexpected EOF" in done.stderr or "unexpected end of file" in done.stderr or "here-document" in done.stderr


def matches(expected, printed):
    """Whether what was printed is what the document shows: a line `…` stands for any number of lines, an `…` in a line for any
    text."""
    if not expected:
        return not printed
    if expected[0].strip() == "…":
        return any(matches(expected[1:], printed[skip:]) for skip in range(len(printed) + 1))
    if not printed:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].rstrip().split("…"))
    return re.fullmatch(pattern, printed[0].rstrip()) is not None and matches(expected[1:], printed[1:])


class Shell:
    """The run of a page."""

    def __init__(self, folder, installed=True):
        """`installed`: the programs are on the PATH; otherwise the page has to put them there."""
        self.folder, self.ports, self.installed = folder, Ports(), installed
        self.work = folder / "work"
        self.work.mkdir()
        # What listens where no command says so.
        self.variables = {"POSTERN_ISSUER_LISTEN": "127.0.0.1:8000"}
        self.script = [SCRIPT, RELEASE]
        # Folders of a machine, and what they are here.
        self.moved = {}
        self.steps = []

    def running(self, policy):
        """An issuer in dev mode, and Postern with this proxy.yaml, run before the first command of the page; $SECRET is the secret of
        the client trading-dashboard."""
        (self.work / "proxy.yaml").write_text(self.ports.to_real(policy))
        self.variables.update(SECRET=SECRET, POSTERN_ISSUER_DEV_SECRET_TRADING_DASHBOARD=SECRET, ISSUER_URL="http://127.0.0.1:8000",
                              POSTERN_LISTEN="127.0.0.1:8080", POSTERN_UPSTREAM="http://127.0.0.1:8001")
        self.script.append(self.ports.to_real("""set -eu
{
postern-issuer run --dev --listen 127.0.0.1:8000 --issuer http://127.0.0.1:8000 >issuer.log 2>&1 &
postern run >postern.log 2>&1 & echo $! >postern.pid
for try in $(seq 200); do postern health --ready && break; sleep 0.05; done
postern health --ready
} >"$FOLDER/running.out" 2>&1
"""))

    def store(self):
        """An installation's store, where the folders of an installation are the shell's own."""
        self.moved = {"/var/lib": "$FOLDER/lib", "/var/backups": "$FOLDER/backups"}
        self.script.append('(mkdir -p "$FOLDER/lib/postern-issuer" "$FOLDER/backups" && cd "$FOLDER/lib/postern-issuer" && '
                           'postern-issuer bootstrap --store sqlite:store.sqlite) >"$FOLDER/store.out" 2>&1\n')

    def add(self, block):
        """The steps of a block."""
        if block.file is not None:
            self._step(block, "mkdir -p \"$(dirname '%s')\" && cat >'%s' <<'END-OF-FILE'\n%sEND-OF-FILE" % (
                block.file, block.file, block.text))
        elif block.language == "sh":
            self._step(block, block.text)
        else:
            for command, expected in commands(block.text):
                self._step(block, command, expected)

    def _step(self, block, text, expected=None):
        number = len(self.steps)
        self.steps.append((block, text, expected))
        body = self.ports.to_real(text)
        for written, real in self.moved.items():
            body = body.replace(written, real)
        strict = "set -eu -o pipefail" if expected is None else "set +eu"
        self.script.append('%s\n{\n%s\n} >"$FOLDER/%d.out" 2>&1 </dev/null\necho %d >>"$FOLDER/done"\n' % (strict, body, number, number))

    @functools.cached_property
    def output(self):
        """What each step printed. Fails where a step of a `sh` block did."""
        script = self.folder / "script.sh"
        script.write_text("".join(self.script))
        env = environment(FOLDER=str(self.folder), PIP_CONSTRAINT=str(CONSTRAINTS), **{
            name: self.ports.to_real(value) for name, value in self.variables.items()})
        env["BUILT"] = os.path.dirname(binary("postern"))
        # Where the tests' own tools are, kubectl for one; last, so that python3 stays the reader's.
        env["PATH"] += os.pathsep + os.path.dirname(sys.executable)
        if self.installed:
            env["PATH"] = env["BUILT"] + os.pathsep + env["PATH"]
        process = subprocess.Popen(["bash", str(script)], cwd=str(ROOT), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True)
        try:
            said, _ = process.communicate(timeout=100)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
        finished = (self.folder / "done").read_text().split() if (self.folder / "done").exists() else []
        outputs = []
        for number, (block, text, _) in enumerate(self.steps):
            file = self.folder / ("%d.out" % number)
            outputs.append(self.ports.to_written(file.read_text("utf-8", "replace")) if file.exists() else "")
            assert str(number) in finished, "%s: failed (exit code %s)\n%s\nprinted:\n%s%s" % (
                block.where, process.returncode, text, outputs[-1][-3000:], said[-2000:])
        return outputs

    def check(self):
        """Every step succeeded, and what the page shows is what was printed."""
        for (block, text, expected), printed in zip(self.steps, self.output):
            if expected is not None:
                assert matches(expected, printed.splitlines()), "%s: %s\nprinted:\n%s" % (block.where, text, printed)
