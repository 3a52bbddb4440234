import Testing

@testable import PosternIssuer

@Suite struct KeyScheduleTests {
    private static func key(_ kid: String, from signsFrom: Int) -> KeySchedule.Key {
        .init(kid: kid, algorithm: "ES256", createdAt: signsFrom - KeySchedule.notice, signsFrom: signsFrom)
    }

    /// The first key signs from 1000, the second from 2000, the third from 3000; they come newest first.
    private let schedule = KeySchedule([key("c", from: 3000), key("b", from: 2000), key("a", from: 1000)])

    @Test("A key is published for the key set's max-age and two reloads before it signs")
    func notice() {
        #expect(KeySchedule.notice == 360)
    }

    @Test(
        "Each key waits, signs, and is retired, by the time alone",
        arguments: [
            // The clock says that none signs yet: somebody has to.
            (999, [.next, .next, .current]),
            (1000, [.next, .next, .current]),
            (1999.999, [.next, .next, .current]),
            (2000, [.next, .current, .retired(until: 2960)]),
            (2999.999, [.next, .current, .retired(until: 2960)]),
            (3000, [.current, .retired(until: 3960), .retired(until: 2960)]),
            (1e9, [.current, .retired(until: 3960), .retired(until: 2960)]),
        ] as [(Double, [KeySchedule.State])])
    func states(_ now: Double, _ expected: [KeySchedule.State]) {
        #expect(self.schedule.states(now: now, longestLifetime: 660) == expected)
        #expect(self.schedule.signer(now: now) == expected.firstIndex(of: .current))
    }

    @Test(
        "A key may be removed when the longest lived of its tokens is over everywhere, and never before it signed",
        arguments: [
            (2000, []), (2959.9, []), (2960, ["a"]), (3959.9, ["a"]), (3960, ["b", "a"]), (1e9, ["b", "a"]),
        ] as [(Double, [String])])
    func removable(_ now: Double, _ expected: [String]) {
        #expect(self.schedule.removable(now: now, longestLifetime: 660) == expected)
    }

    @Test("The order of signing counts, not that of the store; of two at once the newer one signs")
    func order() {
        let crossed = KeySchedule([Self.key("late", from: 1000), Self.key("early", from: 2000)])
        #expect(crossed.keys.map(\.kid) == ["early", "late"])
        let twins = KeySchedule([Self.key("newer", from: 1000), Self.key("older", from: 1000)])
        #expect(twins.keys.map(\.kid) == ["newer", "older"])
        #expect(twins.states(now: 1000, longestLifetime: 60) == [.current, .retired(until: 1360)])
    }

    @Test(
        "Another key is due when the current one has signed so long and none waits",
        arguments: [
            (3000 + 99, 100, false), (3000 + 100, 100, true), (1e9, nil, false), (2999, 100, false),
        ] as [(Double, Int?, Bool)])
    func due(_ now: Double, _ age: Int?, _ expected: Bool) {
        #expect(self.schedule.isDue(now: now, age: age) == expected)
    }

    @Test("Without keys there is nothing to say")
    func empty() {
        let empty = KeySchedule([StoredSigningKey]())
        #expect(empty.signer(now: 0) == nil)
        #expect(empty.states(now: 0, longestLifetime: 1).isEmpty)
        #expect(!empty.isDue(now: 0, age: 0))
    }
}
