"""Tables of cases: one sentence per row, which becomes the name of the test."""
import pytest


def table(*rows):
    """Rows of (sentence, value, …) for parametrize, without the sentence."""
    names = [row[0] for row in rows]
    assert len(names) == len(set(names)), "a sentence twice: %r" % [n for n in names if names.count(n) > 1]
    return [pytest.param(*row[1:], id=row[0].replace(" ", "-")) for row in rows]
