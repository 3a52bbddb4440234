"""The tables of the section."""
from __future__ import annotations

from endtoend.figures import Series, number, quotient, spread
from endtoend.table import table
from endtoend.verdicts import Verdict

ALGORITHMS = ("RS256", "ES256", "EdDSA")
INTROSPECTIONS = {
    "hecate": "`POST /auth/introspect`, a user's token",
    "rfc7662-user": "`POST /oauth/introspect`, a user's token",
    "rfc7662-client": "`POST /oauth/introspect`, a client's token",
}
# Of the token endpoint's processor time with RS256: what may be anything but the signature.
REST = 30.0


class Results:
    """What each round measured: microseconds of processor time, by name. Rounds are in order."""

    def __init__(self):
        self.costs = {}

    def add(self, name, value):
        self.costs.setdefault(name, []).append(value)

    def series(self, name):
        return Series(self.costs.get(name, []))

    def share(self, algorithm):
        """By round: how much of a token's cost is the bare signature, in per cent."""
        return self.series("openssl " + algorithm).combined(
            self.series("token " + algorithm), lambda bare, whole: 100 * bare / whole)


def per_second(series):
    """From microseconds each to how many in a second."""
    return Series(None if value is None else quotient(1e6, value) for value in series.values)


def verdict(results):
    """The demand on the signature's share."""
    rest = results.share("RS256")
    rest = rest.combined(rest, lambda value, _: 100 - value)
    return Verdict("token endpoint with RS256: all but the signature", rest.median, REST, "%", rest, 1)


def section(results, notes):
    """Markdown."""
    tokens = [[
        each, number(per_second(results.series("token " + each)).median, 0), spread(per_second(results.series("token " + each)), 0),
        number(results.series("token " + each).median), number(results.series("openssl " + each).median),
        number(results.share(each).median, 0),
    ] for each in ALGORITHMS if results.series("token " + each)]
    asked = [[
        title, number(per_second(results.series(name)).median, 0), spread(per_second(results.series(name)), 0),
        number(results.series(name).median),
    ] for name, title in INTROSPECTIONS.items() if results.series(name)]
    return "\n\n".join([
        "## postern-issuer",
        table(["what it must show", "measured", "by round", "bound", ""], [verdict(results).cells()]),
        table(["`POST /oauth/token`", "tokens per CPU second", "least–most", "CPU µs each", "`openssl speed`: µs per signature",
               "signature's share %"], tokens),
        table(["introspection, tokens of RS256", "per CPU second", "least–most", "CPU µs each"], asked),
        "\n".join("- " + each for each in notes),
    ]) + "\n"
