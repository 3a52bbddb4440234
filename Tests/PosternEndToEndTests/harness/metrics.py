"""A strict reader of the Prometheus text format (0.0.4)."""
from __future__ import annotations

import math
import re

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)(?: (-?\d+))?\Z')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')


class Metrics:
    def __init__(self, text):
        self.text = text
        self.types = {}
        self.samples = []  # (name, {label: value}, number)
        assert text.endswith("\n"), "the last line must end in a line feed"
        seen = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in self.types, "two TYPE lines for " + name
                assert kind in ("counter", "gauge", "histogram", "summary", "untyped"), line
                self.types[name] = kind
            elif line.startswith("#") or not line:
                continue
            else:
                match = SAMPLE.match(line)
                assert match, "not a sample line: %r" % line
                labels = dict(LABEL.findall(match.group(2) or ""))
                key = (match.group(1), tuple(sorted(labels.items())))
                assert key not in seen, "the same series twice: %r" % line
                seen.add(key)
                self.samples.append((match.group(1), labels, float(match.group(3))))

    def value(self, name, **labels):
        """The sum of the series of `name` that carry these labels."""
        return sum(v for n, l, v in self.samples if n == name and all(l.get(k) == str(x) for k, x in labels.items()))

    def series(self, name):
        return [(l, v) for n, l, v in self.samples if n == name]

    def names(self):
        return {n for n, _, _ in self.samples}

    def check_histogram(self, name):
        """Buckets are cumulative, end in +Inf and agree with _count."""
        groups = {}
        for labels, value in self.series(name + "_bucket"):
            rest = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            groups.setdefault(rest, []).append((float(labels["le"]), value))
        assert groups, "no buckets of " + name
        for rest, buckets in groups.items():
            buckets.sort()
            assert math.isinf(buckets[-1][0]), rest
            counts = [v for _, v in buckets]
            assert counts == sorted(counts), (name, rest, counts)
            total = [v for l, v in self.series(name + "_count") if tuple(sorted(l.items())) == rest]
            assert total == [counts[-1]], (name, rest, total, counts[-1])
            assert [1 for l, _ in self.series(name + "_sum") if tuple(sorted(l.items())) == rest] == [1]
