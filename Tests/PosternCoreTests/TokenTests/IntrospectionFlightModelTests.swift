import PosternCore
import Testing

/// Several processes that share one Redis and one issuer, for one token: messages take a random time, and are handled in
/// the order of time. Milliseconds.
private struct FlightWorld {
    enum Event {
        case start(Int)
        case getArrives(Int)
        case entry(Int, IntrospectionFlight.Entry)
        case lockArrives(Int)
        case lockAnswered(Int, IntrospectionFlight.LockAnswer)
        case storeArrives(IntrospectionFlight.Entry)
        case unlockArrives(Int)
        case answered(Int, issuer: Int, IntrospectionFlight.IssuerAnswer)
        case wake(Int)
        case deadline(Int)
        case processDies(Int)
    }

    var numbers: TokenTestGenerator
    var flights: [IntrospectionFlight]
    /// What each issuer would say.
    let answers: [IntrospectionFlight.IssuerAnswer]
    /// From 0 up to 1: how often Redis does not answer.
    var redisFails: Double = 0
    var issuerTime: ClosedRange<Int64> = 1...30

    var now: Int64 = 0
    private var queue: [(at: Int64, order: Int, event: Event)] = []
    private var order = 0
    private var stored: IntrospectionFlight.Entry = .none
    private var holder: (process: Int, until: Int64)?
    /// When the last command of each process arrives: one connection keeps the order.
    private var lastArrival: [Int: Int64] = [:]
    private var dead: Set<Int> = []

    var asked: [(process: Int, issuer: Int)] = []
    var outcomes: [Int: (outcome: IntrospectionFlight.Outcome, at: Int64)] = [:]
    var unlocks: [Int: Int] = [:]
    var violation: String?

    init(
        seed: UInt64, processes: Int, answers: [IntrospectionFlight.IssuerAnswer], usesRedis: Bool = true,
        patience: Int64? = nil
    ) {
        self.numbers = TokenTestGenerator(state: seed)
        self.answers = answers
        let settings = IntrospectionFlight.Settings(
            issuers: Array(answers.indices), usesRedis: usesRedis, timeout: 500 * 1_000_000,
            patience: patience.map { $0 * 1_000_000 })
        self.flights = (0..<processes).map { _ in IntrospectionFlight(settings: settings) }
        for process in 0..<processes {
            self.add(.start(process), after: Int64.random(in: 0...20, using: &self.numbers))
        }
    }

    mutating func add(_ event: Event, after delay: Int64) {
        self.order += 1
        self.queue.append((self.now + delay, self.order, event))
    }

    mutating func run() {
        while let next = self.queue.min(by: { ($0.at, $0.order) < ($1.at, $1.order) }), self.violation == nil {
            self.queue.removeAll { $0.order == next.order }
            self.now = next.at
            self.handle(next.event)
        }
    }

    private mutating func handle(_ event: Event) {
        let now = self.now * 1_000_000
        switch event {
        case .start(let process): self.run(self.flights[process].start(now: now), process)
        case .entry(let process, let entry): self.run(self.flights[process].entry(entry, now: now), process)
        case .lockAnswered(let process, let answer):
            self.run(self.flights[process].lockAnswered(answer, now: now), process)
        case .answered(let process, let issuer, let answer):
            self.run(self.flights[process].answered(issuer: issuer, answer, now: now), process)
        case .wake(let process): self.run(self.flights[process].wake(now: now), process)
        case .deadline(let process): self.run(self.flights[process].deadline(now: now), process)
        case .processDies(let process): self.dead.insert(process)
        case .getArrives(let process): self.answer(.entry(process, self.stored), or: .entry(process, .unavailable))
        case .lockArrives(let process): self.takeLock(process)
        case .storeArrives(let entry): self.stored = entry
        case .unlockArrives(let process): if self.holder?.process == process { self.holder = nil }
        }
    }

    private mutating func takeLock(_ process: Int) {
        let isFree = self.holder.map { $0.until <= self.now } ?? true
        if isFree { self.holder = (process, self.now + 1500) }
        self.answer(
            .lockAnswered(process, isFree ? .acquired : .held), or: .lockAnswered(process, .unavailable))
    }

    /// Redis answers, or fails after having done what it was told.
    private mutating func answer(_ event: Event, or failure: Event) {
        let fails = Double.random(in: 0..<1, using: &self.numbers) < self.redisFails
        self.add(fails ? failure : event, after: Int64.random(in: 0...3, using: &self.numbers))
    }

    /// A command on its way: never before those that the process sent earlier.
    private mutating func send(_ event: Event, _ process: Int) {
        let arrival = max(
            self.now + Int64.random(in: 0...3, using: &self.numbers), self.lastArrival[process] ?? 0)
        self.lastArrival[process] = arrival
        self.add(event, after: arrival - self.now)
    }

    private mutating func run(_ actions: [IntrospectionFlight.Action], _ process: Int) {
        if self.dead.contains(process) { return }
        for action in actions {
            if self.outcomes[process] != nil, action != .unlock { self.violation = "\(action) after the end" }
            switch action {
            case .deadlineAt(let time): self.add(.deadline(process), after: time / 1_000_000 - self.now)
            case .get: self.send(.getArrives(process), process)
            case .lock: self.send(.lockArrives(process), process)
            case .wakeAt(let time): self.add(.wake(process), after: max(time / 1_000_000 - self.now, 0))
            case .storeActive(let issuer): self.send(.storeArrives(.active(issuer: issuer)), process)
            case .storeNegative: self.send(.storeArrives(.negative), process)
            case .unlock:
                self.unlocks[process, default: 0] += 1
                self.send(.unlockArrives(process), process)
            case .ask(let issuer):
                if self.asked.contains(where: { $0 == (process, issuer) }) { self.violation = "asked twice" }
                self.asked.append((process, issuer))
                self.add(
                    .answered(process, issuer: issuer, self.answers[issuer]),
                    after: Int64.random(in: self.issuerTime, using: &self.numbers))
            case .finish(let outcome): self.outcomes[process] = (outcome, self.now)
            }
        }
    }

    /// Whether a process that lives has the lock although its flight is over.
    var isLockForgotten: Bool {
        self.holder.map { !self.dead.contains($0.process) } ?? false
    }
}

@Suite("Introspection flights of several processes")
struct IntrospectionFlightModelTests {
    private func truth(_ answers: [IntrospectionFlight.IssuerAnswer]) -> IntrospectionFlight.Outcome {
        if let issuer = answers.firstIndex(of: .active) { return .active(issuer: issuer, source: .issuer) }
        return answers.contains(.failed) ? .unavailable : .inactive(.issuer)
    }

    private func withoutSource(_ outcome: IntrospectionFlight.Outcome) -> IntrospectionFlight.Outcome {
        switch outcome {
        case .active(let issuer, _): .active(issuer: issuer, source: .issuer)
        case .inactive: .inactive(.issuer)
        case .unavailable: .unavailable
        }
    }

    @Test("one introspection per token, however the messages cross", arguments: 0..<300)
    func healthy(_ seed: Int) {
        var world = FlightWorld(seed: UInt64(seed), processes: 8, answers: seed % 3 == 0 ? [.inactive] : [.active])
        world.run()
        #expect(world.violation == nil)
        #expect(world.asked.count == 1)
        #expect(world.outcomes.count == 8)
        for (_, ended) in world.outcomes { #expect(self.withoutSource(ended.outcome) == self.truth(world.answers)) }
        #expect(!world.isLockForgotten)
    }

    @Test("whatever Redis does, everybody gets the issuers' answer", arguments: 0..<300)
    func redisFails(_ seed: Int) {
        let answers: [[IntrospectionFlight.IssuerAnswer]] = [
            [.active], [.inactive], [.inactive, .active], [.failed, .active], [.inactive, .inactive],
            [.failed, .inactive],
        ]
        var world = FlightWorld(
            seed: UInt64(1000 + seed), processes: 5, answers: answers[seed % answers.count], usesRedis: seed % 7 != 0)
        world.redisFails = [0.05, 0.5, 1][seed % 3]
        world.run()
        #expect(world.violation == nil)
        #expect(world.outcomes.count == 5)
        for (_, ended) in world.outcomes { #expect(self.withoutSource(ended.outcome) == self.truth(world.answers)) }
        #expect(!world.isLockForgotten)
    }

    @Test("a slow issuer holds nobody beyond the deadline", arguments: 0..<100)
    func slow(_ seed: Int) {
        var world = FlightWorld(seed: UInt64(2000 + seed), processes: 4, answers: [.active])
        world.issuerTime = 300...900
        world.redisFails = seed % 2 == 0 ? 0 : 0.1
        world.run()
        #expect(world.violation == nil)
        #expect(world.outcomes.count == 4)
        // Started within 20 ms, and 500 ms later it is over.
        for (_, ended) in world.outcomes { #expect(ended.at <= 520) }
        #expect(!world.isLockForgotten)
    }

    @Test("a holder that dies keeps the others waiting no longer than their patience", arguments: 0..<100)
    func holderDies(_ seed: Int) {
        var world = FlightWorld(seed: UInt64(3000 + seed), processes: 4, answers: [.active], patience: 100)
        world.issuerTime = 30...50
        for process in 0..<2 { world.add(.processDies(process), after: 25) }
        world.run()
        #expect(world.violation == nil)
        for process in 2..<4 {
            let ended = world.outcomes[process]
            #expect(ended.map { self.withoutSource($0.outcome) } == .active(issuer: 0, source: .issuer))
            #expect((ended?.at ?? 1000) <= 20 + 100 + 50 + 10)
        }
        #expect(!world.isLockForgotten)
    }
}
