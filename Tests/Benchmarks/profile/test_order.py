"""Which functions the linker is to put side by side."""
from __future__ import annotations

import collections
import types
import unittest

from . import order


def profile(**own):
    return types.SimpleNamespace(own=collections.Counter(own))


class OrderTests(unittest.TestCase):
    KNOWN = {"a": "_Za", "b": "_Zb", "c": "_Zc"}

    def test_the_dearest_comes_first_over_all_profiles(self):
        found = order.names([(profile(a=100, b=300), 100), (profile(a=3_000), 1_000)], self.KNOWN)
        self.assertEqual(found, ["_Za", "_Zb"])

    def test_what_is_not_the_programs_own_or_comes_seldom_is_left_out(self):
        self.assertEqual(order.names([(profile(a=1, c=500, memcpy=9_000), 1_000)], self.KNOWN), ["_Zc"])


if __name__ == "__main__":
    unittest.main()
