import PosternCore
import Testing

@testable import PosternProxy

@Suite struct CounterTableTests {
    @Test func emptyTableAddsNothing() {
        #expect(Self.counts(CounterTable()).isEmpty)
    }

    @Test(arguments: [
        ("a few keys that never make it grow", UInt64(20), 5_000),
        ("as many as it takes to grow once", 33, 500),
        ("as many as it takes to grow eight times", 6_000, 40_000),
    ])
    func countsAreThoseOfADictionary(row: (String, UInt64, Int)) {
        var random = SplitMix(seed: row.1)
        var table = CounterTable()
        var model: [UInt64: UInt64] = [:]
        for _ in 0..<row.2 {
            let key = 1 << 63 | UInt64.random(in: 0..<row.1, using: &random) << 24
            table.increment(key)
            model[key, default: 0] += 1
        }
        #expect(Self.counts(table) == model, "\(row.0)")
    }

    @Test func keysThatStartAtTheSamePlaceAreKeptApart() {
        var keys: [UInt64] = []
        var candidate: UInt64 = 1
        while keys.count < 200 {
            // The place in the smallest table, and in every one up to 4096 entries.
            if (candidate &* 0x9E37_79B9_7F4A_7C15) >> 40 & 0xFFF == 63 { keys.append(candidate) }
            candidate += 1
        }
        var table = CounterTable()
        for (index, key) in keys.enumerated() { for _ in 0...index { table.increment(key) } }
        for key in keys.reversed() { table.increment(key) }
        let expected = keys.enumerated().map { ($1, UInt64($0 + 2)) }
        #expect(Self.counts(table) == Dictionary(uniqueKeysWithValues: expected))
    }

    @Test func tablesAreAddedUp() {
        var first = CounterTable()
        var second = CounterTable()
        for key in UInt64(1)...3 { first.increment(key) }
        for key in UInt64(3)...4 { second.increment(key) }
        var totals: [UInt64: UInt64] = [4: 10]
        first.add(to: &totals)
        second.add(to: &totals)
        #expect(totals == [1: 1, 2: 1, 3: 2, 4: 11])
    }

    @Test func copyDoesNotChangeWithTheOriginal() {
        var table = CounterTable()
        table.increment(7)
        let copy = table
        table.increment(7)
        #expect(Self.counts(copy) == [7: 1])
        #expect(Self.counts(table) == [7: 2])
    }

    @Test func keysOfRequestsNeverMeet() {
        var keys: Set<UInt64> = [0]
        var count = 1
        for route in [0, 1, 2, 255, 256, 65_535, 65_536, 1_000_000] {
            for method in Method.allCases {
                for status in [0, 100, 200, 255, 256, 404, 499, 599, 999] {
                    keys.insert(LoopMetrics.requestKey(route: route, method: method, status: status))
                    count += 1
                }
            }
        }
        #expect(keys.count == count)
    }

    @Test func keysOfDecisionsNeverMeet() {
        let keys = (0..<300).flatMap { route in
            LoopMetrics.decisionNames.indices.map { LoopMetrics.decisionKey(route: route, decision: $0) }
        }
        #expect(Set(keys).count == 300 * LoopMetrics.decisionNames.count)
        #expect(!keys.contains(0))
    }

    @Test func decisionNamesArePermitAndTheCodes() {
        #expect(LoopMetrics.decisionNames[LoopMetrics.permit] == "permit")
        for code in RefusalCode.allCases {
            #expect(LoopMetrics.decisionNames[LoopMetrics.index(of: code)] == code.rawValue)
        }
    }

    private static func counts(_ table: CounterTable) -> [UInt64: UInt64] {
        var totals: [UInt64: UInt64] = [:]
        table.add(to: &totals)
        return totals
    }
}
