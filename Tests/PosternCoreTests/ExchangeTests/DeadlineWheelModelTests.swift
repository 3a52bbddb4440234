import PosternCore
import Testing

/// A list of deadlines beside the wheel, that does the same the slow way.
private struct WheelModel {
    static let tick: Int64 = 16

    var wheel: DeadlineWheel
    /// When each place's owner has to be told: its deadline, or the time at which that was set if it was over already.
    var deadlines: [DeadlineWheel.Entry: Int64] = [:]
    var now: Int64
    /// When the shell would look at the wheel.
    var scheduled: Int64?
    var told = 0
    var violation: String?

    init(now: Int64) {
        self.now = now
        self.wheel = DeadlineWheel(tick: Self.tick, now: now)
    }

    mutating func add() {
        let entry = self.wheel.add()
        if self.deadlines[entry] != nil { self.violation = "place \(entry) was given twice" }
        self.deadlines[entry] = .max
    }

    mutating func remove(_ entry: DeadlineWheel.Entry) {
        self.wheel.remove(entry)
        self.deadlines[entry] = nil
    }

    mutating func set(_ entry: DeadlineWheel.Entry, _ deadline: Int64) {
        let earlier = self.wheel.set(entry, deadline)
        self.deadlines[entry] = max(deadline, self.now)
        // As the shell: a wake is moved only when the wheel says that it has to be.
        if earlier, let wake = self.wheel.nextWake { self.scheduled = min(self.scheduled ?? .max, wake) }
        self.checkWake()
    }

    mutating func advance(to time: Int64) {
        // The wakes in between happen, each in time.
        while let wake = self.scheduled, wake <= time { self.expire(at: max(wake, self.now)) }
        self.now = time
    }

    mutating func expire(at time: Int64) {
        self.now = time
        var due: [DeadlineWheel.Entry] = []
        self.wheel.expire(now: time, into: &due)
        for entry in due {
            guard let deadline = self.deadlines[entry] else {
                self.violation = "a place that was given back is told"
                return
            }
            if deadline > time { self.violation = "told \(deadline - time) early" }
            self.deadlines[entry] = .max
            self.told += 1
        }
        if Set(due).count != due.count { self.violation = "told twice" }
        // One tick late at most, counted to the last whole tick.
        for (_, deadline) in self.deadlines where deadline <= time - Self.tick {
            self.violation = "\(time - deadline) late"
        }
        self.scheduled = self.wheel.nextWake
        if let wake = self.scheduled, wake <= time { self.violation = "the next wake is not in the future" }
        self.checkWake()
    }

    /// No deadline may be over for more than a tick when the shell looks next.
    private mutating func checkWake() {
        guard let earliest = self.deadlines.values.min(), earliest != .max else { return }
        let latest = max(earliest, self.now) + Self.tick
        guard let scheduled, scheduled <= latest else {
            self.violation = "wakes at \(self.scheduled.map(String.init) ?? "no time"), \(latest) would be late"
            return
        }
    }
}

@Suite struct DeadlineWheelModelTests {
    @Test("the wheel and a plain list agree through 40,000 random operations, big jumps included", arguments: 0..<8)
    func agreesWithPlainList(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(600 + seed))
        var model = WheelModel(now: Int64.random(in: 0..<1_000_000, using: &numbers))
        let spans: [Int64] = [1, 10, 100, 1_000, 16_383, 16_384, 16_400, 50_000, 1_000_000]
        for _ in 0..<5_000 {
            let entry = model.deadlines.keys.sorted().randomElement(using: &numbers)
            let span = Int64.random(in: 0...numbers.pick(spans), using: &numbers)
            switch (Int.random(in: 0..<12, using: &numbers), entry) {
            case (0, _), (_, nil): model.add()
            case (1, let entry?): if model.deadlines.count > 20 { model.remove(entry) }
            case (2, let entry?): model.set(entry, .max)
            case (3, let entry?): model.set(entry, model.now - span)
            case (4...7, let entry?): model.set(entry, model.now + span)
            case (8, _): model.expire(at: model.now + span)
            case (9, _): model.expire(at: model.now)
            default: model.advance(to: model.now + span / 8)
            }
            if let violation = model.violation {
                Issue.record("\(violation)")
                return
            }
        }
        #expect(model.told > 500)
        model.expire(at: model.now + 10_000_000)
        #expect(model.violation == nil)
        #expect(model.deadlines.values.allSatisfy { $0 == .max }, "everything was told in the end")
    }
}
