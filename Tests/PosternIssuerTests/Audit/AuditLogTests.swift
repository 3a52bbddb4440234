import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite(.timeLimit(.minutes(1))) struct AuditLogTests {
    private let table = AuditTable()
    private let lines = LogCapture()
    private let log = LogCapture()

    private func make(_ clock: IssuerClock = .system) -> AuditLog {
        AuditLog(store: self.table, clock: clock, logger: self.log.logger, output: self.lines.append)
    }

    private static func entry(_ number: Int) -> AuditEntry {
        AuditEntry(time: Double(number), action: .tokenIssued, isAllowed: true)
    }

    @Test("A line holds what is known, in the documented order")
    func line() {
        let entry = AuditEntry(
            time: 1_769_862_896.75, action: .tokenIssued, isAllowed: false, actor: "client:a\"b", target: "user:1",
            reason: "invalid_scope", address: "::1", requestID: "7")
        #expect(
            entry.line == """
                {"time":"2026-01-31T12:34:56.750Z","action":"token.issue","allowed":false,"actor":"client:a\\"b",\
                "target":"user:1","reason":"invalid_scope","address":"::1","request_id":"7"}
                """)
        #expect(
            AuditEntry(time: 0, action: .storePrepared, isAllowed: true).line
                == "{\"time\":\"1970-01-01T00:00:00.000Z\",\"action\":\"store.prepare\",\"allowed\":true}")
    }

    @Test("What was given has its line at once and its row in a batch; what was changed has a line alone")
    func batches() async throws {
        let audit = self.make()
        let entries = (0..<300).map(Self.entry)
        for entry in entries { audit.record(entry) }
        audit.changed(Self.entry(300))
        #expect(self.lines.text.split(separator: "\n").count == 301)
        #expect(self.table.batches.isEmpty)
        try await audit.flush()
        #expect(self.table.batches.map(\.count) == [256, 44])
        #expect(self.table.batches.flatMap(\.self) == entries)
        try await audit.flush()
        #expect(self.table.batches.count == 2)
    }

    @Test("The first entry waits a quarter of a second for more; 256 do not wait")
    func rounds() async throws {
        let sleep = TestSleep()
        let audit = self.make(sleep.clock)
        let running = Task { try await audit.run() }
        audit.record(Self.entry(1))
        #expect(await sleep.next() == 0.25)
        audit.record(Self.entry(2))
        #expect(self.table.batches.isEmpty)
        sleep.wake()
        await self.table.attempts(1)
        #expect(self.table.batches == [[Self.entry(1), Self.entry(2)]])
        for number in 0..<256 { audit.record(Self.entry(number)) }
        await self.table.attempts(2)
        #expect(self.table.batches.last?.count == 256)
        running.cancel()
        _ = await running.result
    }

    @Test("While the store is away entries wait, it is said once, and they are tried again every second")
    func away() async throws {
        let sleep = TestSleep()
        let audit = self.make(sleep.clock)
        self.table.setAway(true)
        let running = Task { try await audit.run() }
        audit.record(Self.entry(1))
        #expect(await sleep.next() == 0.25)
        for attempt in 1...2 {
            sleep.wake()
            await self.table.attempts(attempt)
            #expect(await sleep.next() == 1)
        }
        self.table.setAway(false)
        sleep.wake()
        await self.table.attempts(3)
        #expect(self.table.batches == [[Self.entry(1)]])
        #expect(self.log.text.split(separator: "\n").count == 1)
        #expect(self.log.text.contains("the audit table cannot be written: entries wait"))
        running.cancel()
        _ = await running.result
    }

    @Test("Entries that are too many have their line, are counted, and the log says so twice")
    func overflow() async throws {
        let audit = self.make()
        for number in 0..<(AuditLog.capacity + 5) { audit.record(Self.entry(number)) }
        #expect(audit.dropped == 5)
        #expect(self.lines.text.split(separator: "\n").count == AuditLog.capacity + 5)
        try await audit.flush()
        #expect(self.table.batches.map(\.count).reduce(0, +) == AuditLog.capacity)
        let said = self.log.text.split(separator: "\n")
        #expect(said.count == 2)
        #expect(said.last?.contains("\"missing\": 5") == true)
        audit.record(Self.entry(1))
        try await audit.flush()
        #expect(audit.dropped == 5)
        #expect(self.log.text.split(separator: "\n").count == 2)
    }

    @Test("What waits at the end is written; if it cannot be, the log says how much is missing")
    func end() async throws {
        for isAway in [false, true] {
            let audit = self.make(TestSleep().clock)
            self.table.setAway(isAway)
            audit.record(Self.entry(7))
            let running = Task { try await audit.run() }
            running.cancel()
            _ = await running.result
            #expect(self.table.batches == [[Self.entry(7)]])
            #expect(self.log.text.contains("\"missing\": 1") == isAway)
        }
    }

    @Test("The table is cleared of what is older than the retention, at the start and a day later")
    func retention() async throws {
        let sleep = TestSleep()
        let retention = AuditRetention(
            store: self.table, retention: 600, clock: sleep.clock, logger: self.log.logger)
        let running = Task { try await retention.run() }
        #expect(await sleep.next() == 86400)
        #expect(self.table.cuts == [400])
        self.table.setAway(true)
        sleep.wake()
        #expect(await sleep.next() == 86400)
        #expect(self.table.cuts == [400, 400])
        #expect(self.log.text.contains("\"count\": 3"))
        #expect(self.log.text.contains("old audit entries cannot be removed"))
        running.cancel()
        _ = await running.result
    }

    @Test("A request's time comes from the issuer's clock")
    func requestTime() async throws {
        let (times, queue) = AsyncStream.makeStream(of: Double.self)
        let router = Router(context: IssuerContext.self)
        router.add(
            middleware: RequestMiddleware(
                clock: TestClock(1_760_000_123).clock, proxies: TrustedProxies(), metrics: IssuerMetrics()))
        router.get("/") { _, context in
            queue.yield(context.time)
            return HTTPResponse.Status.ok
        }
        try await Application(router: router, logger: self.log.logger).test(.router) { client in
            _ = try await client.execute(uri: "/", method: .get)
        }
        queue.finish()
        #expect(await times.reduce(into: []) { $0.append($1) } == [1_760_000_123])
    }
}
