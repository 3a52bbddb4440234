"""The parts of the benchmark that only compute: what programs print is read, figures and tables are made.

Quick, with the standard library alone: `python3 -m unittest discover -s Tests/Benchmarks -t Tests/Benchmarks -p 'test_*.py'`.
"""
from __future__ import annotations

import pathlib
import re
import types
import unittest

from . import client, encryption, figures, h2load, load, machine, measure, notes, options, processes, report, syscalls
from . import systems, table, tokens, turns, variants, verdicts, websocket
from .figures import Series, Unusable

WRK = """Running 5s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.29ms    1.08ms  22.25ms   96.17%
    Req/Sec    33.79k     3.11k   38.70k    78.00%
  Latency Distribution
     50%    1.16ms
     75%    1.40ms
     90%  999.00us
     99%    1.02s
  168087 requests in 5.00s, 1.02GB read
Requests/sec:  33606.39
Transfer/sec:      7.95MB
"""

H2LOAD = """starting benchmark...
finished in 5.00s, 23880.80 req/s, 4.10MB/s
requests: 119404 total, 119468 started, 119404 done, 119404 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 119404 2xx, 0 3xx, 0 4xx, 0 5xx
"""

OPENSSL_3_0 = """                  sign    verify    sign/s verify/s
rsa 2048 bits 0.000388s 0.000019s   2576.5  52631.0
"""
OPENSSL_3_5 = """                   sign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s
rsa  2048 bits 0.000388s 0.000020s 0.000021s 0.000400s   2576.5  50000.0  47000.0   2500.0
"""

STRACE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 74.39    0.300003          10     40000           write
 14.87    0.290018      290018         1           restart_syscall
  6.20    0.120957           4     40010        10 read
------ ----------- ----------- --------- --------- ----------------
100.00    1.949930          33     80011        10 total
"""


class Wrk(unittest.TestCase):
    def test_a_report_is_read(self):
        done = load.parse(WRK)
        self.assertEqual((done.requests, done.seconds, done.rate), (168087, 5.0, 33606.39))
        self.assertEqual((done.p50, done.p99), (1160.0, 1020000.0))
        self.assertAlmostEqual(done.bytes_read, 1.02 * (1 << 30))
        self.assertEqual(done.failures, [])

    def test_units(self):
        self.assertEqual([load.duration(each) for each in ("69.00us", "1.5ms", "2s", "1.5m")], [69.0, 1500.0, 2e6, 9e7])
        self.assertEqual([load.size(each) for each in ("12B", "1KB", "2MB")], [12, 1024, 2 << 20])

    def test_answers_that_are_not_2xx_and_socket_errors_are_failures(self):
        text = WRK.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec")
        self.assertEqual(load.parse(text).failures, ["7 answers that are not 2xx"])
        text = WRK.replace("Requests/sec", "  Socket errors: connect 0, read 1, write 0, timeout 2\nRequests/sec")
        self.assertEqual(load.parse(text).failures, ["socket errors (connect 0, read 1, write 0, timeout 2)"])
        text = WRK.replace("168087 requests", "0 requests")
        self.assertEqual(load.parse(text).failures, ["no request was answered"])

    def test_anything_else_is_no_report(self):
        for text in ("", "unable to connect to 127.0.0.1:1 Connection refused\n", WRK.replace("99%", "98%")):
            with self.assertRaises(ValueError):
                load.parse(text)


class H2load(unittest.TestCase):
    def test_a_report_is_read(self):
        done = h2load.parse(H2LOAD)
        self.assertEqual((done.requests, done.rate, done.failures), (119404, 23880.8, []))

    def test_failures(self):
        self.assertEqual(h2load.parse(H2LOAD.replace("119404 2xx, 0 3xx, 0", "119400 2xx, 0 3xx, 4")).failures,
                         ["119400 of 119404 answers were 2xx"])
        self.assertEqual(h2load.parse(H2LOAD.replace("0 errored", "3 errored")).failures, ["3 requests failed"])
        with self.assertRaises(ValueError):
            h2load.parse("")


class Sockets(unittest.TestCase):
    def test_the_example_of_the_rfc(self):
        self.assertEqual(websocket.accept(websocket.KEY), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        head = websocket.request("abc").rpartition(b"\r\n")[0]
        self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", websocket.switched(head))

    def test_what_is_agreed_on(self):
        text = "ALPN protocol: h2\nServer Temp Key: X25519, 253 bits\nNew, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256\n"
        self.assertEqual(encryption.agreed(text), encryption.AGREED + ("h2",))
        self.assertEqual(encryption.agreed("nothing"), (None,) * 4)


class Programs(unittest.TestCase):
    def test_openssl_speed_by_the_name_of_the_column(self):
        self.assertAlmostEqual(machine.parse_speed(OPENSSL_3_0), 19.0, 2)
        self.assertAlmostEqual(machine.parse_speed(OPENSSL_3_5), 20.0, 2)
        self.assertIsNone(machine.parse_speed("speed: unknown algorithm\n"))

    def test_strace(self):
        self.assertEqual(syscalls.parse(STRACE), {"write": 40000, "restart_syscall": 1, "read": 40010})

    def test_cpu_time_of_a_process_with_a_strange_name(self):
        line = "12 (a) b (c)) S 1 12 12 0 -1 4194560 90 0 0 0 250 50 0 0 20 0 1 0 7 9 9\n"
        user, system = processes.cpu_of(line)
        self.assertEqual((user, system), (250 * machine.TICK, 50 * machine.TICK))

    def test_cores(self):
        one, two, four = (machine.Cores(range(count)) for count in (1, 2, 4))
        self.assertEqual((one.pinned, one.proxy, one.load, one.two), (False, [0], [0], None))
        self.assertIn("Warning", one.described())
        self.assertEqual((two.proxy, two.load, two.two), ([0], [1], [0, 1]))
        self.assertEqual((four.proxy, four.load, four.two), ([0], [1], [0, 2]))


class Arithmetic(unittest.TestCase):
    def test_series(self):
        series = Series([3.0, None, 1.0, 2.0])
        self.assertEqual((series.median, series.low, series.high), (2.0, 1.0, 3.0))
        self.assertFalse(Series([None]))
        self.assertIsNone(Series([]).median)
        self.assertEqual(series.combined(Series([1.0, 1.0, 0, 4.0]), figures.quotient).values, [3.0, None, None, 0.5])

    def test_figures_for_people(self):
        self.assertEqual(figures.number(1234.56), "1,234.6")
        self.assertEqual(figures.number(None), "–")
        self.assertEqual(figures.spread(Series([2.0, 1.0])), "1.0–2.0")
        self.assertEqual(figures.spread(Series([])), "–")
        self.assertIsNone(figures.quotient(1.0, 0))
        self.assertIsNone(figures.difference(1.0, None))

    def test_options(self):
        given = options.Options({"BENCH_SECONDS": "10", "BENCH_ONLY": "postern, direct"})
        self.assertEqual((given.rounds, given.seconds, given.warm_up, given.short), (3, 10, 2, 5))
        self.assertEqual([each.name for each in given.systems], ["direct", "postern"])
        self.assertEqual([options.Options({"BENCH_TURNS": each}).turns for each in ("", "0", "7")], [15, 0, 7])
        for wrong in ({"BENCH_ROUNDS": "0"}, {"BENCH_TURNS": "-1"}, {"BENCH_SECONDS": "5s"}, {"BENCH_ONLY": "apache"}):
            with self.assertRaises(Unusable):
                options.Options(wrong)


class Configurations(unittest.TestCase):
    def test_every_template_is_filled_and_used(self):
        names = ["FOLDER", "PORT", "UPSTREAM", "ADMIN", "ISSUER", "AUDIENCE", "JWKS", "ACCESS", "LOOPS", "REDIS"]
        keys = types.SimpleNamespace(certificate="c", key="k", both="b")
        made = {each: variants.values(each, 1, 2, keys) for each in ("plain", "tls", "websocket", "grpc")}
        self.assertEqual({each.variant for each in systems.SYSTEMS}, set(made))
        self.assertEqual(len({tuple(each) for each in made.values()}), 1)
        names += made["plain"]
        used = {each.template for each in systems.SYSTEMS if each.template} | {"upstream.conf"}
        self.assertEqual(used, {each.name for each in systems.TEMPLATES.iterdir()})
        for each in used:
            text = systems.fill(each, {name: "value" for name in names})
            self.assertIsNone(re.search(r"@[A-Z]+@", text), each)

    def test_tokens_are_equally_long_and_differ(self):
        first, last = (tokens.payload(number, 1700000000) for number in (0, 99999999))
        self.assertEqual(len(str(first)), len(str(last)))
        self.assertNotEqual(first["jti"], last["jti"])

    def test_answers_are_measured_by_their_length(self):
        whole = b"HTTP/1.1 200 OK\r\nX: 1\r\ncontent-length: 2\r\n\r\n{}"
        self.assertEqual(client.length_of(whole + b"HTTP/1.1"), len(whole))
        self.assertIsNone(client.length_of(b"HTTP/1.1 200 OK\r\n"))
        with self.assertRaises(Unusable):
            client.length_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    def test_lookups_are_told_apart(self):
        found = {'postern_token_cache_total{tier="l1",result="hit"}': 5.0,
                 'postern_token_cache_total{tier="l1",result="miss"}': 2.0, "postern_token_cache_entries": 9.0}
        found.update({'postern_token_cache_total{tier="redis",result="hit"}': 3.0,
                      'postern_introspections_total{issuer="a",result="active"}': 4.0})
        self.assertEqual((measure.looked_up(found, "hit"), measure.looked_up(found, "miss")), (5.0, 2.0))
        self.assertEqual((measure.looked_up(found, "hit", "redis"), measure.introspected(found)), (3.0, 4.0))


class Documents(unittest.TestCase):
    def results(self):
        found = report.Results()
        for cpu in (10.0, 12.0, 11.0):
            found.add("direct", {"rate": 60000.0, "p50": 800.0, "p99": 900.0, "one_p50": 20.0, "others": 0.01})
            found.add("haproxy-tcp", {"cpu": cpu, "one_p50": 60.0, "others": 0.01})
            found.add("haproxy-http", {"cpu": cpu * 1.3, "body1m": 500.0})
            found.add("postern", {"cpu": cpu * 1.2, "user": cpu / 2, "one_p50": 58.0, "body1m": 600.0, "rss_idle": 11264})
            found.add("postern-miss", {"cpu": cpu * 1.2 + 34.0})
            found.add("postern-introspect-local", {"cpu": cpu * 1.2})
            found.add("haproxy-tls", {"tls_cpu": 20.0, "tls_rate": 30000.0})
            found.add("envoy-tls", {"tls_cpu": 80.0})
            found.add("postern-tls", {"tls_cpu": 25.0, "tls_rate": 20000.0})
        return found

    def turns(self):
        """Five turns; in the fourth the machine was twice as slow, and all of the systems with it."""
        found = report.Results()
        for slow in (1.0, 1.1, 1.0, 2.0, 0.9):
            found.add("direct", {"one_p50": 20.0 * slow})
            found.add("haproxy-tcp", {"cpu": 10.0 * slow, "rate": 60000.0, "one_p50": 60.0 * slow})
            found.add("haproxy-http", {"cpu": 13.0 * slow, "rate": 50000.0, "body1m": 500.0 * slow})
            found.add("postern", {"cpu": 12.0 * slow, "rate": 55000.0, "one_p50": 65.0 * slow, "body1m": 300.0 * slow})
        return found

    def test_demands_are_held_against_the_turns_where_there_are_any(self):
        found = verdicts.verdicts(self.results(), {}, Series([]), self.turns())
        self.assertEqual([each.word() for each in found[:5]], ["met", "met", "not measured", "**missed**", "met"])
        self.assertAlmostEqual(found[0].value, 12 / 13)
        self.assertAlmostEqual(found[0].rounds.high, 12 / 13)
        self.assertEqual((found[3].value, found[3].bound), (5.0, 0.0))
        self.assertIn("(added: 45.0 and 40.0)", found[3].demand)

    def test_a_row_for_each_system_in_turn(self):
        lines = report.in_turn(self.turns()).splitlines()
        self.assertEqual(len(lines), 2 + 4)
        self.assertEqual(lines[2], "| direct, no proxy | – | – | 20.0 (20.0–22.0) | – |")
        self.assertEqual(lines[5], "| **Postern**, 1 token | 12.0 (12.0–13.2) | 55,000 (55,000–55,000) | 65.0 (65.0–71.5) | 300 (300–330) |")

    def test_each_turn_begins_with_another_and_goes_to_and_fro(self):
        self.assertEqual([turns.order(["a", "b", "c"], each) for each in range(4)],
                         [["a", "b", "c"], ["a", "c", "b"], ["c", "a", "b"], ["c", "b", "a"]])

    def test_postern_is_compared_with_something_or_not_at_all(self):
        self.assertEqual(turns.groups(["direct", "postern", "haproxy-tls", "envoy-h2", "postern-h2", "haproxy-http"]), {
            "small": ["haproxy-http", "postern"], "one": ["direct", "postern"], "body": ["haproxy-http", "postern"],
            "h2": ["envoy-h2", "postern-h2"]})
        self.assertEqual(turns.groups(["haproxy-tcp", "haproxy-http", "postern-tls"]), {})

    def test_the_middle_half(self):
        self.assertEqual(Series([9.0, 1.0, 2.0, None, 3.0]).middle.known, [2.0, 3.0])
        self.assertEqual(Series([2.0]).middle.known, [2.0])

    def test_a_table(self):
        self.assertEqual(table.table(["a", "b"], [["x|y", 1]]), "| a | b |\n| --- | ---: |\n| x\\|y | 1 |")

    def test_demands(self):
        found = verdicts.verdicts(self.results(), {"postern": 7.9}, Series([19.0, 20.0, None]))
        words = [each.word() for each in found]
        self.assertEqual(words, ["met", "met", "not measured", "met", "**missed**", "not measured", "met", "met",
                                 "met", "**missed**"] + ["not measured"] * 5 + ["met", "met"])
        self.assertAlmostEqual(found[0].value, 1.2 / 1.3)
        self.assertEqual((found[3].value, found[3].bound), (38.0, 40.0))
        self.assertEqual((found[6].value, found[6].bound), (34.0, 34.5))

    def test_rounds_that_disagree_are_said(self):
        rounds = Series([0.9, 0.95, 1.1])
        self.assertEqual(verdicts.Verdict("", 0.95, 1.0, "×", rounds).word(), "met, not in every round")
        self.assertEqual(verdicts.Verdict("", 1.05, 1.0, "×", rounds).word(), "**missed**, in some rounds met")

    def test_the_main_tables_have_a_row_for_each_system(self):
        found = self.results()
        lines = report.small_requests(found).splitlines()
        self.assertEqual(len(lines), 2 + 6)
        self.assertIn("| HAProxy, TCP mode | 11.0 |", lines[3])
        self.assertIn("| 1.20 |", lines[5])
        lines = report.other_loads(found, {"postern": 7.9}).splitlines()
        self.assertIn("| **Postern**, 1 token | 58.0 | 38.0 |", lines[-1])
        self.assertTrue(lines[-1].endswith("| 7.9 |"))

    def test_other_protocols(self):
        lines = report.other_protocols(self.results()).splitlines()
        self.assertEqual(len(lines), 2 + 3)
        self.assertEqual(
            lines[-1], "| TLS, HTTP/1.1, 64 connections | **Postern** | 25.0 | 25.0–25.0 | 40,000 | 1.25 | 0.31 | 20,000 |")

    def test_system_calls_side_by_side(self):
        counted = {"haproxy-tcp": {64: {"sendto": 2.0, "close": 0.001}}, "postern": {64: {"write": 2.0, "sendto": 0.5}}}
        lines = report.system_calls(counted).splitlines()
        self.assertEqual(lines[2:], ["| `sendto` | 2.00 | 0.50 |", "| `write` | 0.00 | 2.00 |", "| all | 2.00 | 2.50 |"])

    def test_scaling(self):
        one = {"cpu": 15.0, "rate": 40000.0, "p50": 1000.0, "p99": 2000.0, "loops": [64]}
        two = dict(one, rate=60000.0, loops=[33, 31])
        lines = report.scaling({1: [one], 2: [two]}).splitlines()
        self.assertTrue(lines[3].endswith("| 60,000 | 1.50 | 1.00 | 2.00 | 33/31 |"), lines[3])

    def test_a_loud_machine_is_said(self):
        found = self.results()
        self.assertNotIn("quiet", notes.noise(found))
        found.add("nginx", {"cpu": 1.0, "others": 0.4})
        self.assertIn("In 1 of 7 windows", notes.noise(found))

    def test_the_notes_name_what_was_left_out(self):
        stage = types.SimpleNamespace(cores=machine.Cores([0, 1]), tokens=types.SimpleNamespace(one="x" * 700),
                                      log_folder=pathlib.Path("/dev/shm/x"))
        benchmark = types.SimpleNamespace(stage=stage, options=options.Options({}), results=self.results(),
                                          idle_connections=2000, skipped=[("envoy", "envoy is not installed")], turns=None,
                                          remarks=["a remark"])
        text = notes.notes(benchmark)
        self.assertIn("- Envoy, jwt_authn (cached) + RBAC was left out: envoy is not installed.", text)
        self.assertIn("- a remark", text)
        self.assertNotIn("In turn", text)
        benchmark.turns = self.turns()
        self.assertIn("- In turn: ", notes.notes(benchmark))


if __name__ == "__main__":
    unittest.main()
