import PosternCore
import Testing

@Suite struct DeadlineWheelTests {
    private static let tick: Int64 = 10

    private static func expired(_ wheel: inout DeadlineWheel, _ now: Int64) -> [DeadlineWheel.Entry] {
        var due: [DeadlineWheel.Entry] = []
        wheel.expire(now: now, into: &due)
        return due
    }

    @Test("a deadline is told after it, at most one tick late, and once")
    func oneDeadline() throws {
        for deadline in 100...131 as ClosedRange<Int64> {
            var wheel = DeadlineWheel(tick: Self.tick, now: 95)
            let entry = wheel.add()
            #expect(wheel.nextWake == nil)
            #expect(wheel.set(entry, deadline) == true)
            let wake = try #require(wheel.nextWake)
            #expect(wake > deadline && wake <= deadline + Self.tick)
            #expect(Self.expired(&wheel, deadline - 1).isEmpty)
            #expect(Self.expired(&wheel, wake) == [entry])
            #expect(Self.expired(&wheel, wake + 100_000).isEmpty)
            #expect(wheel.nextWake == nil)
        }
    }

    @Test("a deadline that is over already is told at the next tick")
    func pastDeadline() {
        for deadline in [0, 499, 500, 505, -7, .min] as [Int64] {
            var wheel = DeadlineWheel(tick: Self.tick, now: 505)
            _ = Self.expired(&wheel, 505)
            let entry = wheel.add()
            #expect(wheel.set(entry, deadline) == true)
            #expect(wheel.nextWake == 510)
            #expect(Self.expired(&wheel, 510) == [entry])
        }
    }

    @Test("a deadline that moves away is told at its new time only, and wakes nobody earlier")
    func movedLater() throws {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let entry = wheel.add()
        _ = wheel.set(entry, 100)
        #expect(wheel.set(entry, 5_000) == false)
        #expect(Self.expired(&wheel, 200).isEmpty)
        #expect(Self.expired(&wheel, 5_000).isEmpty)
        let wake = try #require(wheel.nextWake)
        #expect(wake > 5_000 && wake <= 5_010)
        #expect(Self.expired(&wheel, wake) == [entry])
    }

    @Test("a deadline that moves closer is told at its new time, and says that the wheel has to be looked at earlier")
    func movedEarlier() throws {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let entry = wheel.add()
        _ = wheel.set(entry, 5_000)
        #expect(wheel.set(entry, 100) == true)
        let wake = try #require(wheel.nextWake)
        #expect(wake > 100 && wake <= 110)
        #expect(Self.expired(&wheel, wake) == [entry])
        #expect(wheel.nextWake == nil)
    }

    @Test("a later deadline of another entry does not say that the wheel has to be looked at earlier")
    func laterDeadline() {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let first = wheel.add()
        let second = wheel.add()
        #expect(wheel.set(first, 100) == true)
        #expect(wheel.set(second, 200) == false)
        #expect(wheel.set(second, 50) == true)
        #expect(wheel.nextWake == 60)
    }

    @Test("a deadline beyond one turn does not hide that a nearer one has to be looked at earlier")
    func farDeadlineHidesNothing() {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let entries = (0..<3).map { _ in wheel.add() }
        #expect(wheel.set(entries[0], 1_000) == true)
        // Its slot comes soon, its turn does not.
        #expect(wheel.set(entries[1], 1024 * Self.tick + 50) == false)
        #expect(wheel.set(entries[2], 500) == true)
        #expect(wheel.nextWake == 510)
    }

    @Test("a deadline that is taken back is not told")
    func cancelled() {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let entry = wheel.add()
        _ = wheel.set(entry, 100)
        #expect(wheel.set(entry, .max) == false)
        #expect(Self.expired(&wheel, 1_000_000).isEmpty)
        #expect(wheel.nextWake == nil)
        #expect(wheel.set(entry, 1_000_100) == true, "it can be set again")
        #expect(Self.expired(&wheel, 1_000_110) == [entry])
    }

    @Test("deadlines beyond one turn of the wheel are told in theirs", arguments: [1, 1023, 1024, 1025, 2048, 5000])
    func beyondOneTurn(_ ticks: Int64) throws {
        var wheel = DeadlineWheel(tick: Self.tick, now: 7)
        let entry = wheel.add()
        let deadline = ticks * Self.tick + 3
        _ = wheel.set(entry, deadline)
        // Looked at whenever it says so, as the shell does.
        var wakes = 0
        while let wake = wheel.nextWake {
            wakes += 1
            let due = Self.expired(&wheel, wake)
            #expect(due.isEmpty == (wake < deadline))
            if !due.isEmpty {
                #expect(due == [entry])
                #expect(wake > deadline && wake <= deadline + Self.tick)
            }
            try #require(wakes <= 10, "once a turn")
        }
        #expect(wakes >= 1)
    }

    @Test("after a jump of the clock every deadline that is over is told, and none else")
    func clockJump() {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let entries = (0..<50).map { _ in wheel.add() }
        for (i, entry) in entries.enumerated() { _ = wheel.set(entry, Int64(i) * 1_000) }
        let now: Int64 = 25_500
        #expect(Set(Self.expired(&wheel, now)) == Set(entries[...25]))
        #expect(Set(Self.expired(&wheel, 1 << 60)) == Set(entries[26...]))
        #expect(wheel.nextWake == nil)
    }

    @Test("a place that is given back has no deadline left and is given again")
    func removed() {
        var wheel = DeadlineWheel(tick: Self.tick, now: 0)
        let first = wheel.add()
        let second = wheel.add()
        #expect(first != second)
        _ = wheel.set(first, 100)
        wheel.remove(first)
        wheel.remove(first)
        #expect(wheel.nextWake == nil)
        let third = wheel.add()
        #expect(third == first)
        #expect(wheel.add() != first, "a place that was given back twice is given once")
        #expect(Self.expired(&wheel, 1_000).isEmpty)
        #expect(wheel.set(third, 1_100) == true)
        #expect(Self.expired(&wheel, 1_110) == [third])
    }

    @Test("the greatest times are handled without overflow")
    func greatestTimes() {
        var wheel = DeadlineWheel(tick: 1, now: .max - 2_000)
        let entry = wheel.add()
        #expect(wheel.set(entry, .max - 1_000) == true)
        #expect(Self.expired(&wheel, .max - 1_001).isEmpty)
        #expect(Self.expired(&wheel, .max - 999) == [entry])
        _ = wheel.set(entry, .max - 2)
        #expect(Self.expired(&wheel, .max - 500).isEmpty)
    }
}
