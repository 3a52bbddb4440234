import PosternCore
import Testing

@Suite struct TraceSamplingTests {
    private static func parent(_ isSampled: Bool) -> TraceContext {
        TraceContext(traceHigh: 1, traceLow: 2, span: 3, isSampled: isSampled)
    }

    @Test(
        "what is recorded: share, parents, what the caller says, and the answer for the least and the most of all ids",
        arguments: [
            (0.0, TraceSampling.Parents.follow, nil, false, false), (1.0, .follow, nil, true, true),
            (0.5, .follow, nil, false, true), (0.0, .follow, true, true, true), (1.0, .follow, false, false, false),
            (0.0, .ignore, true, false, false), (1.0, .ignore, false, true, true), (0.5, .ignore, true, false, true),
        ] as [(Double, TraceSampling.Parents, Bool?, Bool, Bool)])
    func decision(_ row: (share: Double, parents: TraceSampling.Parents, parent: Bool?, least: Bool, most: Bool)) {
        let sampling = TraceSampling(share: row.share, parents: row.parents)
        let parent = row.parent.map(Self.parent)
        #expect(sampling.records(parent: parent, traceLow: 0) == row.least)
        #expect(sampling.records(parent: parent, traceLow: .max) == row.most)
        // The upper eight bits are not random everywhere: they do not count.
        #expect(sampling.records(parent: parent, traceLow: 0xFF00_0000_0000_0000) == row.least)
    }

    @Test("the share is kept to", arguments: [0.01, 0.1, 0.25, 0.9])
    func share(_ share: Double) {
        let sampling = TraceSampling(share: share, parents: .follow)
        let count = 10_000
        // Ids that are spread evenly.
        let recorded = (0..<UInt64(count)).count {
            sampling.records(parent: nil, traceLow: $0 &* (UInt64.max / UInt64(count) + 1) &* 257)
        }
        #expect(abs(Double(recorded) / Double(count) - share) < 0.02)
    }

    @Test func allowanceIsTheLimitAtOnceAndThenAsMuchASecond() {
        var allowance = TraceAllowance(limit: 10)
        let start: Int64 = 5_000_000_000
        #expect((0..<20).count { _ in allowance.take(now: start) } == 10)
        #expect(allowance.take(now: start + 99_999_999) == false)
        #expect(allowance.take(now: start + 100_000_000) == true)
        #expect(allowance.take(now: start + 100_000_001) == false)
        // What was not used for long is not saved up.
        #expect((0..<50).count { _ in allowance.take(now: start + 60_000_000_000) } == 10)
    }

    @Test func allowanceOfOneASecond() {
        var allowance = TraceAllowance(limit: 1)
        #expect(allowance.take(now: 0) == true)
        #expect(allowance.take(now: 999_999_999) == false)
        #expect(allowance.take(now: 1_000_000_000) == true)
    }
}
