"""Tests of run.sh with stand-ins for swift and for the three programs: start, proof, signals, busy ports, early deaths.

Standard library only. Takes the real ports, because run.sh does.
"""

import fcntl
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PORTS = (8000, 8001, 8080, 9901)
LIMIT = 60

# A stand-in reads in the file `trouble` what should go wrong: "NAME start" dies before it listens, "NAME later" after
# its first answer, "postern open" lets the refused call in, "postern deaf" the revoked token.
STAND_IN = r'''#!{python}
import http.server, os, pathlib, signal, sys, threading, time, urllib.request
name = os.path.basename(sys.argv[0])
trouble = pathlib.Path("trouble").read_text() if os.path.exists("trouble") else ""
with open("started", "a") as log:
    log.write(f"{{name}} {{os.getpid()}} {{sys.argv[1:]}}\n")
if sys.argv[1:2] == ["health"]:
    try:
        urllib.request.urlopen("http://127.0.0.1:9901/readyz", timeout=1)
    except OSError:
        sys.exit(1)
    sys.exit(0)
print("first line of", name, flush=True)
if trouble == name + " start":
    print("cannot open the store", flush=True)
    sys.exit(3)
def stop(*_):
    with open("stopped", "a") as log:
        log.write(f"{{name}} {{os.getpid()}}\n")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
        if trouble == name + " later":
            threading.Timer(0.5, lambda: (print("out of luck", flush=True), os._exit(4))).start()
    def do_GET(self):
        if name == "postern" and os.path.exists("revoked") and trouble != "postern deaf":
            return self.reply(401, '{{"code": "invalid_token", "detail": "The token was revoked."}}')
        self.reply(200, '{{"caller": {{"X-Client-Id": "trading-dashboard"}}}}')
    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        secret = os.environ["POSTERN_ISSUER_DEV_SECRET_TRADING_DASHBOARD"]
        if self.path == "/oauth/revoke" and form.endswith(f"&client_secret={{secret}}&token=e30.e30.c2ln"):
            pathlib.Path("revoked").touch()
            return self.reply(200, "")
        if len(secret) < 32 or form != f"client_id=trading-dashboard&client_secret={{secret}}":
            return self.reply(401, '{{"error": "invalid_client"}}')
        self.reply(200, '{{"access_token": "e30.e30.c2ln", "scope": "trade:read", "expires_in": 1800}}')
    def do_DELETE(self):
        if trouble == "postern open":
            return self.reply(200, "{{}}")
        self.reply(403, '{{"code": "insufficient_scope", "detail": "The token lacks the scope trade:close."}}')
    def log_message(self, *_):
        pass
def serve(port):
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
ports = {{"postern-issuer": [8000], "trading-demo": [8001], "postern": [8080, 9901]}}[name]
for port in ports[1:]:
    threading.Thread(target=serve, args=(port,), daemon=True).start()
serve(ports[0])
'''

SWIFT = r'''#!/bin/sh
if [ "$1" = --version ]; then echo "Swift version ${{STAND_IN_SWIFT:-6.3.1}} (stand-in)"; exit 0; fi
echo "swift $*" >>started
if [ -e slow-build ]; then echo "$$" >builder; sleep 300; fi
'''


class PretendedRedis:
    """Answers every connection's first line with the same bytes."""

    def __init__(self, answer):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.run, args=(answer,), daemon=True).start()

    def run(self, answer):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                if connection.makefile("rb").readline() == b"PING\r\n":
                    connection.sendall(answer)

    def close(self):
        # Wakes the thread, which a close alone would not.
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


def listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class RunTest(unittest.TestCase):
    def setUp(self):
        signal.signal(signal.SIGALRM, self.too_long)
        signal.alarm(LIMIT)
        self.addCleanup(signal.alarm, 0)
        for port in PORTS:
            self.assertFalse(listening(port), f"port {port} is taken before the test")
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="postern-run-"))
        self.addCleanup(shutil.rmtree, self.root)
        (self.root / "deploy").mkdir()
        shutil.copytree(HERE, self.root / "deploy/local", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Makefile", "proxy.yaml"):
            shutil.copy(HERE.parent.parent / name, self.root)
        release = self.root / ".build/release"
        release.mkdir(parents=True)
        for name in ("postern-issuer", "trading-demo", "postern"):
            self.program(release / name, STAND_IN)
        self.tools = self.root / "tools"
        self.tools.mkdir()
        self.program(self.tools / "swift", SWIFT)
        self.environment = {k: v for k, v in os.environ.items() if k not in ("RUN_ONCE", "MAKEFLAGS", "MAKELEVEL")}
        self.environment["PATH"] = f"{self.tools}:{os.environ['PATH']}"
        # Never what happens to run on this machine.
        self.environment["POSTERN_RUN_REDIS"] = "none"

    def too_long(self, *_):
        raise TimeoutError(f"not done after {LIMIT} s")

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            process.wait()

    def program(self, path, text):
        path.write_text(text.format(python=sys.executable))
        path.chmod(0o755)

    def trouble(self, what):
        (self.root / "trouble").write_text(what)

    def lines(self, name):
        path = self.root / name
        return path.read_text().splitlines() if path.exists() else []

    def start(self, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(
            command or ("deploy/local/run.sh",), cwd=self.root, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(self.end, process)
        return process

    def finish(self, process):
        output, _ = process.communicate(timeout=LIMIT)
        return process.returncode, output

    def redis(self, answer):
        server = PretendedRedis(answer)
        self.addCleanup(server.close)
        self.environment["POSTERN_RUN_REDIS"] = server.address
        return server.address

    def read_until(self, process, text):
        output = ""
        while text not in output:
            line = process.stdout.readline()
            self.assertTrue(line, f"ended before it printed '{text}':\n{output}")
            output += line
        return output

    def read_terminal(self, master, text):
        output = b""
        while text.encode() not in output:
            try:
                output += os.read(master, 4096)
            except OSError:
                self.fail(f"ended before it printed '{text}':\n{output.decode()}")
        return output.decode()

    def gone(self, pid):
        """Ended, whether or not anybody has waited for it yet."""
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    def assert_soon(self, condition):
        deadline = time.monotonic() + LIMIT
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def assert_all_gone(self, programs=("postern-issuer", "trading-demo", "postern")):
        for port in PORTS:
            self.assertFalse(listening(port), f"port {port} is still listened on")
        self.assertEqual([line.split()[0] for line in self.lines("stopped")], list(reversed(programs)))

    def test_run_once_proves_and_stops_all_three(self):
        self.environment["RUN_ONCE"] = "1"
        status, output = self.finish(self.start("make", "run"))
        self.assertEqual(status, 0, output)
        self.assertIn("scopes: trade:read", output)
        self.assertIn("GET /api/v1/trades → 200", output)
        self.assertIn("403 insufficient_scope: The token lacks the scope trade:close.", output)
        self.assertIn("Runs without Redis, as POSTERN_RUN_REDIS says.\nMissing without it: revocation.", output)
        self.assertNotIn("revoked:", output)
        self.assertNotIn("Ctrl-C", output)
        self.assert_all_gone()
        self.assertNotIn("--redis", " ".join(self.lines("started")))
        self.assertIn("'--config', 'proxy.yaml'", self.lines("started")[-1])

    def test_a_redis_that_answers_is_used_for_revocations(self):
        address = self.redis(b"+PONG\r\n")
        self.environment["RUN_ONCE"] = "1"
        status, output = self.finish(self.start())
        self.assertEqual(status, 0, output)
        self.assertIn(f"Redis on {address} is used for revocations.\n", output)
        self.assertIn("POST /oauth/revoke → 200, and GET /api/v1/trades with that token → 401 invalid_token", output)
        self.assert_all_gone()
        issuer, *_, postern = (each for each in self.lines("started") if each.split()[0] in ("postern-issuer", "postern"))
        self.assertIn(f"'--redis', 'redis://{address}'", issuer)
        self.assertIn("'--config', '.run/proxy.yaml'", postern)
        lines = self.lines(".run/proxy.yaml")
        self.assertEqual(lines.index("    revocation: redis"), lines.index("  permiso:") + 2)
        self.assertEqual(lines[-3:-1], ["redis:", f"  url: redis://{address}"])
        self.assertRegex(lines[-1], "^  seal: [0-9a-f]{64}$")
        added = ["    revocation: redis", "", *lines[-3:]]
        self.assertEqual(sorted([*self.lines("proxy.yaml"), *added]), sorted(lines))

    def test_a_revoked_token_that_is_let_in_fails_the_proof(self):
        self.redis(b"+PONG\r\n")
        self.trouble("postern deaf")
        status, output = self.finish(self.start())
        self.assertEqual(status, 1, output)
        self.assertIn("error: a call with a revoked token: expected 401 with 'invalid_token', got 200\n", output)
        self.assert_all_gone()

    def test_a_redis_that_cannot_be_used_is_named(self):
        closed = PretendedRedis(b"")
        closed.close()
        self.environment["RUN_ONCE"] = "1"
        for address, sentence in (
            (self.redis(b"-NOAUTH Authentication required.\r\n"), "the one on %s asks for a password."),
            (self.redis(b"HTTP/1.1 400 Bad Request\r\n"), "none answers on %s "),
            (closed.address, "none answers on %s "),
        ):
            with self.subTest(sentence=sentence):
                self.environment["POSTERN_RUN_REDIS"] = address
                status, output = self.finish(self.start())
                self.assertEqual(status, 0, output)
                self.assertIn("Runs without Redis: " + sentence % address, output)
                self.assertIn("Missing without it: revocation.", output)
                self.assertNotIn("revoked:", output)

    def test_a_malformed_address_of_redis_is_one_sentence(self):
        for text in ("6379", "localhost", "host:port", "a/b:1", "$(id):1"):
            with self.subTest(text=text):
                self.environment["POSTERN_RUN_REDIS"] = text
                status, output = self.finish(self.start())
                self.assertEqual((status, output), (1, "error: POSTERN_RUN_REDIS is HOST:PORT or none\n"))

    def test_ctrl_c_in_a_terminal_ends_make_with_0(self):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(
            ("make", "run"), cwd=self.root, env=self.environment, stdin=slave, stdout=slave, stderr=slave,
            preexec_fn=own_terminal)
        self.addCleanup(self.end, process)
        os.close(slave)
        self.assertIn("curl -si -X DELETE", self.read_terminal(master, "Ctrl-C stops all three."))
        os.write(master, b"\x03")
        rest = self.read_terminal(master, "Stopped.")
        self.assertEqual(process.wait(timeout=LIMIT), 0, rest)
        self.assert_all_gone()

    def test_sigterm_without_a_terminal_ends_with_0(self):
        process = self.start()
        self.read_until(process, "Ctrl-C stops all three.")
        process.terminate()
        status, rest = self.finish(process)
        self.assertEqual(status, 0, rest)
        self.assert_all_gone()

    def test_sigterm_to_make_stops_all_three(self):
        process = self.start("make", "run")
        self.read_until(process, "Ctrl-C stops all three.")
        process.terminate()
        self.finish(process)
        self.assert_all_gone()

    def test_the_printed_commands_work_when_pasted(self):
        process = self.start()
        output = self.read_until(process, "Ctrl-C stops all three.")
        commands = [line for line in output.splitlines() if line.startswith(("  TOKEN=", "  curl "))]
        self.assertEqual(len(commands), 3, output)
        pasted = subprocess.run(
            ["bash", "-c", "\n".join(commands) + '\necho "token: $TOKEN"'], capture_output=True, text=True, timeout=LIMIT)
        process.terminate()
        self.finish(process)
        self.assertIn("trading-dashboard", pasted.stdout)
        self.assertIn("insufficient_scope", pasted.stdout)
        self.assertIn("token: e30.e30.c2ln\n", pasted.stdout)

    def test_sigterm_during_the_build_ends_the_compiler(self):
        (self.root / "slow-build").touch()
        process = self.start()
        self.assert_soon(lambda: self.lines("builder"))
        process.terminate()
        status, output = self.finish(process)
        self.assertEqual(status, 0, output)
        self.assert_soon(lambda: self.gone(self.lines("builder")[0]))
        self.assertEqual(self.lines("started"), ["swift build -c release --static-swift-stdlib"])

    def test_a_busy_port_is_named_before_anything_is_started(self):
        for port in PORTS:
            with self.subTest(port=port), socket.socket() as taken:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken.bind(("0.0.0.0", port))
                taken.listen()
                status, output = self.finish(self.start())
                self.assertEqual(status, 1, output)
                self.assertRegex(output, rf"^error: port {port} \(for .*\) is taken by .*\n$")
                self.assertEqual(self.lines("started"), [])

    def test_a_missing_swift_is_one_sentence(self):
        tools = self.root / "no-swift"
        tools.mkdir()
        for name in ("bash", "dirname", "sed", "awk", "head", "id", "od", "tr"):
            os.symlink(shutil.which(name), tools / name)
        self.environment["PATH"] = str(tools)
        status, output = self.finish(self.start(shutil.which("bash"), "deploy/local/run.sh"))
        self.assertEqual(status, 1, output)
        self.assertRegex(output, r"^error: swift is not on the PATH: .*\n$")

    def test_an_old_swift_is_one_sentence(self):
        self.environment["STAND_IN_SWIFT"] = "6.2"
        status, output = self.finish(self.start())
        self.assertEqual(status, 1, output)
        self.assertEqual(output, "error: this is Swift 6.2: Postern needs Swift 6.3 or later\n")

    def test_a_program_that_dies_at_the_start_ends_the_others_and_shows_its_log(self):
        self.trouble("trading-demo start")
        status, output = self.finish(self.start())
        self.assertEqual(status, 1, output)
        self.assertIn("cannot open the store\n", output)
        self.assertIn("error: trading-demo ended by itself with exit code 3\n", output)
        self.assert_all_gone(("postern-issuer",))

    def test_a_program_that_dies_later_ends_the_others_and_shows_its_log(self):
        self.trouble("trading-demo later")
        status, output = self.finish(self.start())
        self.assertEqual(status, 1, output)
        self.assertIn("out of luck\n", output)
        self.assertIn("error: trading-demo ended by itself with exit code 4\n", output)
        self.assert_all_gone(("postern-issuer", "postern"))

    def test_a_refused_call_that_is_let_in_fails_the_proof(self):
        self.trouble("postern open")
        status, output = self.finish(self.start())
        self.assertEqual(status, 1, output)
        self.assertIn("error: a refused call: expected 403 with 'insufficient_scope', got 200\n", output)
        self.assert_all_gone()


if __name__ == "__main__":
    unittest.main(verbosity=1)
