"""How instructions are charged to stages: the arithmetic, and the names that are known."""
from __future__ import annotations

import collections
import types
import unittest

from . import assign, naming


def profile(own, edges):
    """`edges` are (caller, called, calls, what the calls cost with everything below them)."""
    return types.SimpleNamespace(
        own=collections.Counter(own), calls=collections.Counter(),
        edges=collections.Counter({(caller, called): calls for caller, called, calls, _ in edges}),
        costs=collections.Counter({(caller, called): cost for caller, called, _, cost in edges}))


def totals(own, edges):
    """The names of stages begin with a capital letter; `retain` is an aspect."""
    found = assign.Assignment(profile(own, edges), lambda name: name if name[0].isupper() else None,
                              lambda name: "counting" if name == "retain" else None)
    return found.totals()


class ChargingHelpers(unittest.TestCase):
    def test_a_stage_answers_for_itself(self):
        found = totals({"A": 100, "B": 20}, [("A", "B", 1, 20)])
        self.assertEqual((found["A"]["all"], found["B"]["all"], found[assign.UNASSIGNED]["all"]), (100, 20, 0))

    def test_a_helper_is_divided_by_what_its_calls_cost(self):
        found = totals({"A": 1, "B": 1, "copy": 100}, [("A", "copy", 9, 25), ("B", "copy", 1, 75)])
        self.assertAlmostEqual(found["A"]["all"], 26)
        self.assertAlmostEqual(found["B"]["all"], 76)

    def test_the_runtime_is_divided_by_calls_and_shown_besides(self):
        found = totals({"A": 1, "B": 1, "retain": 100}, [("A", "retain", 9, 10), ("B", "retain", 1, 90)])
        self.assertAlmostEqual(found["A"]["all"], 91)
        self.assertAlmostEqual(found["A"]["counting"], 90)
        self.assertAlmostEqual(found["B"]["counting"], 10)

    def test_helpers_of_helpers_reach_a_stage(self):
        found = totals({"A": 10, "B": 10, "append": 40, "grow": 20, "copy": 8}, [
            ("A", "append", 1, 51), ("B", "append", 1, 17), ("append", "grow", 2, 28), ("grow", "copy", 2, 8)])
        self.assertAlmostEqual(found["A"]["all"], 10 + 0.75 * 68)
        self.assertAlmostEqual(found["B"]["all"], 10 + 0.25 * 68)

    def test_helpers_that_call_each_other_end_at_their_stage(self):
        found = totals({"A": 1, "destroy": 50, "release": 50, "loop": 7}, [
            ("A", "release", 1, 100), ("release", "destroy", 1, 60), ("destroy", "release", 1, 30), ("loop", "loop", 3, 7)])
        self.assertAlmostEqual(found["A"]["all"], 101, 2)
        self.assertAlmostEqual(found[assign.UNASSIGNED]["all"], 7, 2)

    def test_what_nobody_calls_is_not_assigned_and_nothing_is_lost(self):
        own = {"A": 5, "start": 30, "copy": 12}
        found = totals(own, [("start", "copy", 1, 4), ("A", "copy", 1, 8)])
        self.assertAlmostEqual(found[assign.UNASSIGNED]["all"], 34)
        self.assertAlmostEqual(sum(each["all"] for each in found.values()), sum(own.values()))

    def test_calls_that_a_short_run_had_and_a_long_one_had_not_do_not_count(self):
        found = totals({"A": 1, "B": 1, "copy": 10}, [("A", "copy", 2, 10), ("B", "copy", -1, -5)])
        self.assertAlmostEqual(found["A"]["all"], 11)


class Names(unittest.TestCase):
    def test_the_stage_is_that_of_the_declaration(self):
        for name, stage in (
            ("PosternCore.HeadScanner.scan(_: Swift.RawSpan) -> PosternCore.HeadScanner.Outcome", "head scan"),
            ("function signature specialization <Arg[2] = Dead> of static PosternCore.HeaderField.read(Swift.RawSpan)",
             "head scan"),
            ("PosternCore.RouteTable.(enter in _59BE8BAC2F3C)(_: Swift.Int) -> Swift.Int32", "target and route"),
            ("PosternCore.RouteRules.limits.getter", "exchange and handlers"),
            ("PosternCore.Intake.compose(_: Swift.RawSpan) -> Swift.Bool", "identity and upstream head"),
            ("PosternCore.Intake.take(_: Swift.RawSpan) -> PosternCore.Intake.Outcome", "exchange and handlers"),
            ("PosternCore.ClaimRules.check()", "token parsing"),
            ("PosternCore.ClaimPredicate.holds()", "policy"),
            ("generic specialization <NIOPosix.NIORegistration> of NIOPosix.Selector.whenReady0(x: () -> ()) throws -> ()",
             "NIO event loop"),
            ("NIOPosix.BaseStreamSocketChannel.readFromSocket() throws -> X", "NIO read"),
            ("closure #1 (inout NIOCore.ByteBuffer) throws -> X in NIOPosix.BaseStreamSocketChannel.readFromSocket() -> Y",
             "NIO read"),
            ("partial apply forwarder for closure #3 @Sendable () -> () in PosternProxy.LoopContext.init(x: Y) -> Z",
             "exchange and handlers"),
            ("protocol witness for NIOCore.Channel.isActive.getter : Swift.Bool in conformance X", "NIO event loop"),
            ("PosternProxy.JSONLine.append(X)", "access log"),
            ("(extension in PosternCrypto):PosternCrypto.PublicKey.init(X)", "signature"),
        ):
            self.assertEqual(naming.stage(name), stage, name)

    def test_helpers_have_no_stage(self):
        for name in ("swift_retain", "memcpy@GLIBC_2.2.5", "0x0000000000dc1f80",
                     "outlined copy of PosternCore.Intake.Verdict",
                     "(extension in PosternCore):Swift.RawSpan.equals(Swift.RawSpan) -> Swift.Bool",
                     "generic specialization <PosternCore.HeaderField> of Swift.Array.append(A) -> ()",
                     "destroy value witness for PosternCore.ResponseHead", "NIOCore.ByteBuffer.readableBytes.getter"):
            self.assertIsNone(naming.stage(name), name)

    def test_the_runtime(self):
        for name, aspect in (
            ("swift_retain", naming.COUNTING), ("_swift_release_dealloc", naming.COUNTING),
            ("swift_bridgeObjectRelease", naming.COUNTING),
            ("swift_isUniquelyReferenced_nonNull_native", naming.COUNTING), ("swift_beginAccess", naming.EXCLUSIVITY),
            ("swift::runtime::AccessSet::insert(swift::runtime::Access*)", naming.EXCLUSIVITY), ("swift_once", None),
            ("malloc", None),
        ):
            self.assertEqual(naming.aspect(name), aspect, name)


if __name__ == "__main__":
    unittest.main()
