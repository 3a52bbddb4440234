import PosternCore
import Testing

/// The way of spans to the collector, event by event.
@Suite struct SpanExportTests {
    private static let second: Int64 = 1_000_000_000

    private static func machine(_ change: (inout SpanExport.Limits) -> Void = { _ in }) -> SpanExport {
        var limits = SpanExport.Limits()
        limits.spans = 6
        limits.bytes = 1000
        limits.batch = 3
        change(&limits)
        return SpanExport(limits: limits)
    }

    private static func counts(_ exported: UInt64, dropped: UInt64 = 0, failed: UInt64 = 0) -> SpanExport.Counts {
        var counts = SpanExport.Counts()
        (counts.exported, counts.dropped, counts.failed) = (exported, dropped, failed)
        return counts
    }

    @Test func spanWaitsForOthersForAMoment() {
        var export = Self.machine()
        #expect(export.add([1], now: 0) == .wake(at: Self.second))
        #expect(export.add([2], now: 5) == .none)
        #expect(export.wake(now: Self.second - 1) == .none)
        #expect(export.wake(now: Self.second) == .send([[1], [2]]))
        #expect(export.held == 2)
        #expect(export.answered(.accepted(rejected: 0), now: 2 * Self.second, random: 0) == .none)
        #expect(export.held == 0)
        #expect(export.counts == Self.counts(2))
    }

    @Test func fullBatchGoesAtOnceAndOneAtATime() {
        var export = Self.machine()
        _ = export.add([1], now: 0)
        _ = export.add([2], now: 0)
        #expect(export.add([3], now: 0) == .send([[1], [2], [3]]))
        for span: UInt8 in 4...6 { #expect(export.add([span], now: 1) == .none) }
        #expect(export.wake(now: Self.second) == .none)
        #expect(export.answered(.accepted(rejected: 0), now: 2, random: 0) == .send([[4], [5], [6]]))
        _ = export.add([7], now: 3)
        #expect(export.answered(.accepted(rejected: 0), now: 4, random: 0) == .wake(at: 4 + Self.second))
        #expect(export.wake(now: 4 + Self.second) == .send([[7]]))
    }

    @Test func whatIsTooMuchIsDroppedAndCounted() {
        var export = Self.machine()
        for span: UInt8 in 1...9 { _ = export.add([span], now: 0) }
        // Three on their way and three that wait: the bound is for both together.
        #expect(export.held == 6)
        #expect(export.counts == Self.counts(0, dropped: 3))
        var bytes = Self.machine { $0.bytes = 10 }
        _ = bytes.add([UInt8](repeating: 0, count: 8), now: 0)
        _ = bytes.add([UInt8](repeating: 0, count: 3), now: 0)
        _ = bytes.add([1, 2], now: 0)
        #expect(bytes.held == 2)
        #expect(bytes.counts.dropped == 1)
        #expect(bytes.wake(now: Self.second) == .send([[UInt8](repeating: 0, count: 8), [1, 2]]))
        _ = bytes.answered(.accepted(rejected: 0), now: Self.second, random: 0)
        #expect(bytes.add([UInt8](repeating: 0, count: 10), now: Self.second) == .wake(at: 2 * Self.second))
    }

    @Test func spansThatTheReceiverRejectsAreCounted() {
        for (rejected, counts) in [
            (1, Self.counts(1, failed: 1)), (9, Self.counts(0, failed: 2)), (-1, Self.counts(2)),
        ] {
            var export = Self.machine()
            _ = export.add([1], now: 0)
            _ = export.add([2], now: 0)
            _ = export.wake(now: Self.second)
            _ = export.answered(.accepted(rejected: rejected), now: Self.second, random: 0)
            #expect(export.counts == counts)
        }
    }

    @Test func batchThatIsRefusedIsNotSentAgain() {
        var export = Self.machine()
        _ = export.add([1], now: 0)
        _ = export.wake(now: Self.second)
        #expect(export.answered(.refused, now: Self.second, random: 0) == .none)
        #expect(export.counts == Self.counts(0, failed: 1))
        #expect(export.held == 0)
    }

    @Test("the same batch is sent again after longer and longer pauses, and then given up")
    func retries() {
        var export = Self.machine()
        _ = export.add([1], now: 0)
        var now = Self.second
        #expect(export.wake(now: now) == .send([[1]]))
        for pause in [1, 2, 4, 8] {
            let wake = now + Int64(pause) * Self.second
            #expect(export.answered(.unavailable(retryAfter: nil), now: now, random: 1) == .wake(at: wake))
            #expect(export.add([UInt8(pause)], now: now) == .none)
            #expect(export.wake(now: wake - 1) == .none)
            #expect(export.wake(now: wake) == .send([[1]]))
            now = wake
        }
        #expect(export.answered(.unavailable(retryAfter: nil), now: now, random: 1) == .send([[1], [2], [4]]))
        #expect(export.counts == Self.counts(0, failed: 1))
    }

    @Test(
        "a pause is random in part, at most 30 s, or what the receiver says up to a minute",
        arguments: [
            (nil, 0.0, 0.5), (nil, 0.5, 0.75), (nil, 1.0, 1.0), (0, 1.0, 0.0), (7, 0.0, 7.0), (3600, 0.0, 60.0),
        ] as [(Int64?, Double, Double)])
    func pause(_ row: (retryAfter: Int64?, random: Double, seconds: Double)) {
        var export = Self.machine()
        _ = export.add([1], now: 0)
        _ = export.wake(now: Self.second)
        let retryAfter = row.retryAfter.map { $0 * Self.second }
        #expect(
            export.answered(.unavailable(retryAfter: retryAfter), now: 0, random: row.random)
                == .wake(at: Int64(row.seconds * 1e9)))
    }

    // MARK: - The end

    @Test func endSendsEverythingAtOnce() {
        var export = Self.machine()
        #expect(export.drain() == .finished)
        export = Self.machine()
        _ = export.add([1], now: 0)
        #expect(export.drain() == .send([[1]]))
        _ = export.add([2], now: 0)
        #expect(export.answered(.accepted(rejected: 0), now: 0, random: 0) == .send([[2]]))
        #expect(export.answered(.accepted(rejected: 0), now: 0, random: 0) == .finished)
        // A span of a tunnel that was broken off comes last.
        #expect(export.add([3], now: 0) == .send([[3]]))
        #expect(export.answered(.accepted(rejected: 0), now: 0, random: 0) == .finished)
        #expect(export.counts == Self.counts(3))
    }

    @Test func endDoesNotWaitForAPauseAndTriesOnce() {
        var export = Self.machine()
        for span: UInt8 in 1...4 { _ = export.add([span], now: 0) }
        _ = export.answered(.unavailable(retryAfter: nil), now: 0, random: 0)
        #expect(export.drain() == .send([[1], [2], [3]]))
        #expect(export.answered(.unavailable(retryAfter: nil), now: 0, random: 0) == .finished)
        #expect(export.counts == Self.counts(0, dropped: 1, failed: 3))
        #expect(export.held == 0)
    }

    @Test func endWithoutTimeDropsWhatIsHeld() {
        var export = Self.machine()
        for span: UInt8 in 1...5 { _ = export.add([span], now: 0) }
        #expect(export.drain() == .none)
        export.abandon()
        #expect(export.counts == Self.counts(0, dropped: 5))
        // The answer of the batch that was given up comes late.
        #expect(export.answered(.accepted(rejected: 0), now: 0, random: 0) == .none)
        #expect(export.counts == Self.counts(0, dropped: 5))
    }
}
