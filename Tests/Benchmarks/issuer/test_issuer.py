"""The parts of this section that only compute. Run with those of the other sections, see endtoend/test_pure.py."""
from __future__ import annotations

import unittest

from endtoend.figures import Unusable

from . import report, run, server, signatures

SPEED_3_0 = """                  sign    verify    sign/s verify/s
rsa 2048 bits 0.000227s 0.000014s   4402.0  72330.4
                              sign    verify    sign/s verify/s
 256 bits ecdsa (nistp256)   0.0000s   0.0000s  66281.4  22402.1
                              sign    verify    sign/s verify/s
 253 bits EdDSA (Ed25519)   0.0000s   0.0001s  40395.7  15206.1
"""
SPEED_3_5 = """                   sign    verify    encrypt   decrypt   sign/s verify/s  encr./s  decr./s
rsa  2048 bits 0.000227s 0.000014s 0.000021s 0.000400s   4402.0  72330.4  47000.0   2500.0
"""


class Signatures(unittest.TestCase):
    def test_openssl_speed_by_the_name_of_the_column(self):
        found = [signatures.parse(SPEED_3_0, each) for each in ("RS256", "ES256", "EdDSA")]
        for value, expected in zip(found, (227.2, 15.1, 24.8)):
            self.assertAlmostEqual(value, expected, 1)
        self.assertAlmostEqual(signatures.parse(SPEED_3_5, "RS256"), 227.2, 1)
        self.assertIsNone(signatures.parse("speed: unknown algorithm\n", "RS256"))
        self.assertIsNone(signatures.parse(SPEED_3_5, "ES256"))


class Requests(unittest.TestCase):
    def test_literal_bytes(self):
        found = server.literal(80, "/a", server.FORM, server.form({"a": "b c"}), "X: y")
        self.assertEqual(found, b"POST /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                                b"Content-Length: 5\r\nX: y\r\n\r\na=b+c")

    def test_options(self):
        given = run.Options({"BENCH_SECONDS": "10"})
        self.assertEqual((given.rounds, given.seconds, given.warm_up), (3, 10, 2))
        with self.assertRaises(Unusable):
            run.Options({"BENCH_ROUNDS": "none"})


class Documents(unittest.TestCase):
    def results(self, whole):
        found = report.Results()
        for factor in (1.0, 1.1, 1.2):
            for algorithm, bare in (("RS256", 210.0), ("ES256", 15.0), ("EdDSA", 25.0)):
                found.add("openssl " + algorithm, bare)
                found.add("token " + algorithm, (whole - 210 + bare) * factor)
            found.add("hecate", 100.0 * factor)
        return found

    def test_the_share_of_the_signature(self):
        self.assertEqual([round(each, 1) for each in self.results(300).share("RS256").values], [70.0, 63.6, 58.3])
        self.assertEqual(report.verdict(self.results(240)).word(), "met")
        self.assertEqual(report.verdict(self.results(290)).word(), "**missed**, in some rounds met")
        self.assertEqual(report.verdict(report.Results()).word(), "not measured")

    def test_a_signature_that_was_not_measured(self):
        found = self.results(240)
        found.costs["openssl RS256"] = [None] * 3
        self.assertEqual(report.verdict(found).word(), "not measured")
        self.assertIn("| RS256 | 3,788 | 3,472–4,167 | 264.0 | – | – |", report.section(found, []))

    def test_the_section(self):
        text = report.section(self.results(300), ["a note"])
        self.assertIn("| RS256 | 3,030 | 2,778–3,333 | 330.0 | 210.0 | 64 |", text)
        self.assertIn("| `POST /auth/introspect`, a user's token | 9,091 | 8,333–10,000 | 110.0 |", text)
        self.assertNotIn("a client's token", text)
        self.assertTrue(text.endswith("- a note\n"))


if __name__ == "__main__":
    unittest.main()
