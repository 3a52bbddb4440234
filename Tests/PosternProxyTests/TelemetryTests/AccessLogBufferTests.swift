import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct AccessLogBufferTests {
    private let pipe: LogPipe
    private let sink: LogSink

    init() throws {
        self.pipe = try LogPipe()
        self.sink = LogSink(descriptor: self.pipe.writeEnd)
    }

    // MARK: - Fields

    @Test func fullLineHasTheDocumentedFieldsInTheirOrder() throws {
        let line = try self.written(Self.full)
        #expect(
            line.names == [
                "time", "request_id", "trace_id", "client", "method", "path", "route", "decision", "code", "issuer",
                "user", "client_id", "jti", "token_source", "status", "bytes_in", "bytes_out", "duration_ms",
                "upstream_ms", "spoofed",
            ])
        #expect(line["time"] == .string("2027-01-15T08:00:00.250Z"))
        #expect(line["request_id"] == .string("req-1"))
        #expect(line["trace_id"] == .string("0af7651916cd43dd8448eb211c80319c"))
        #expect(line["client"] == .string("10.1.2.3"))
        #expect(line["method"] == .string("GET"))
        #expect(line["path"] == .string("/a/1"))
        #expect(line["route"] == .string("GET /a/{id}"))
        #expect(line["decision"] == .string("refuse"))
        #expect(line["code"] == .string("upstream_timeout"))
        #expect(line["issuer"] == .string("permiso"))
        #expect(line["user"] == .string("u\"1"))
        #expect(line["client_id"] == .string("app"))
        #expect(line["jti"] == .string("t1"))
        #expect(line["token_source"] == .string("jwt"))
        #expect(line["status"] == .number(504, text: "504"))
        #expect(line["bytes_in"] == .number(120, text: "120"))
        #expect(line["bytes_out"] == .number(5_000_000_000, text: "5000000000"))
        #expect(line["duration_ms"] == .number(12.345, text: "12.345"))
        #expect(line["upstream_ms"] == .number(0.5, text: "0.500"))
        #expect(line["spoofed"] == .bool(true))
    }

    @Test func lineOfAnAnonymousRequestLeavesOutWhatThereIsNot() throws {
        var facts = Self.full
        facts.code = nil
        facts.decision = "permit"
        facts.callerMembers = []
        facts.source = nil
        facts.upstreamDuration = nil
        facts.spoofed = false
        let line = try self.written(facts, traceID: "")
        #expect(
            line.names == [
                "time", "request_id", "client", "method", "path", "route", "decision", "status", "bytes_in",
                "bytes_out", "duration_ms", "spoofed",
            ])
        #expect(line["decision"] == .string("permit"))
        #expect(line["spoofed"] == .bool(false))
    }

    @Test func callerOfWhomOnlyTheIssuerIsKnownHasOneMember() throws {
        var facts = Self.full
        facts.callerMembers = Self.members(Principal(issuer: "permiso", expiresAt: 1))
        let names = try self.written(facts).names
        #expect(names.filter { ["issuer", "user", "client_id", "jti"].contains($0) } == ["issuer"])
    }

    @Test func anyBytesFromTheClientStayInsideTheirMember() throws {
        var random = SplitMix(seed: 11)
        for _ in 0..<200 {
            var facts = Self.full
            let length = Int.random(in: 0..<40, using: &random)
            facts.path = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            facts.method = Array("\",\"status\":1}\n".utf8) + [UInt8.random(in: 0...255, using: &random)]
            facts.callerMembers = Self.members(
                Principal(issuer: "i", user: String(decoding: facts.path, as: UTF8.self), expiresAt: 1))
            let line = try self.written(facts)
            #expect(line["path"] == .string(String(String.UnicodeScalarView(facts.path.map { Unicode.Scalar($0) }))))
            #expect(line["status"] == .number(504, text: "504"))
            #expect(line.names.count == 18)
        }
    }

    @Test func routeThatIsNotASCIIIsWrittenAsConfigured() throws {
        var facts = Self.full
        facts.route = JSONLine.escaped("GET /straße/{id}")
        #expect(try self.written(facts)["route"] == .string("GET /straße/{id}"))
    }

    // MARK: - Time

    @Test func timesWithinASecondOverItAndBackAreRight() throws {
        let times: [(Double, String)] = [
            (1_800_000_000, "08:00:00.000Z"), (1_800_000_000.5, "08:00:00.500Z"), (1_800_000_000.875, "08:00:00.875Z"),
            (1_800_000_001, "08:00:01.000Z"), (1_800_000_000.125, "08:00:00.125Z"),
            (1_800_086_400, "08:00:00.000Z"),
        ]
        var buffer = AccessLogBuffer(sink: self.sink)
        for (time, _) in times {
            var facts = Self.full
            facts.time = time
            _ = buffer.append(facts, requestID: [], traceID: [])
        }
        buffer.handOver()
        let lines = try self.pipe.lines(times.count).map { try JSONReader.parse(Array($0.utf8).span.bytes) }
        #expect(lines.map { $0["time"]?.string?.suffix(13) } == times.map { $0.1.suffix(13) })
        #expect(lines.last?["time"]?.string?.prefix(10) == "2027-01-16")
    }

    // MARK: - Batches

    @Test func onlyTheFirstLineOfABatchAsksToBeHandedOver() throws {
        var buffer = AccessLogBuffer(sink: self.sink)
        #expect(buffer.isEmpty)
        var asked = [Self.add(to: &buffer), Self.add(to: &buffer)]
        #expect(!buffer.isEmpty)
        #expect(self.pipe.isEmpty)
        buffer.handOver()
        #expect(buffer.isEmpty)
        #expect(try self.pipe.lines(2).count == 2)
        asked += [Self.add(to: &buffer), Self.add(to: &buffer)]
        #expect(asked == [true, false, true, false])
    }

    @Test func handingOverNothingWritesNothing() async throws {
        var buffer = AccessLogBuffer(sink: self.sink)
        buffer.handOver()
        await self.sink.flush(seconds: 10)
        #expect(self.pipe.isEmpty)
    }

    @Test func fullBatchIsHandedOverByItself() throws {
        var buffer = AccessLogBuffer(sink: self.sink)
        var count = 0
        repeat {
            _ = buffer.append(Self.full, requestID: Array("\(count)".utf8), traceID: [])
            count += 1
        } while !buffer.isEmpty && count < 1000
        let lines = try self.pipe.lines(count)
        #expect(count > 50 && count < 1000)
        #expect(lines.reduce(0) { $0 + $1.utf8.count + 1 } >= AccessLogBuffer.batchSize)
        #expect(lines.dropLast().reduce(0) { $0 + $1.utf8.count + 1 } < AccessLogBuffer.batchSize)
        let ids = try lines.map { try JSONReader.parse(Array($0.utf8).span.bytes)["request_id"]?.string }
        #expect(ids == (0..<count).map { "\($0)" })
    }

    // MARK: - Fixtures

    private static let full = AccessLogBuffer.Line(
        time: 1_800_000_000.25, client: Array("10.1.2.3".utf8), method: Array("GET".utf8), path: Array("/a/1".utf8),
        route: Array("GET /a/{id}".utf8), decision: "refuse", code: RefusalCode.upstreamTimeout.rawValue,
        callerMembers: Self.members(
            Principal(issuer: "permiso", user: "u\"1", client: "app", tokenID: "t1", expiresAt: 1)),
        source: VerifiedToken.Source.jwt.rawValue, status: 504, bytesIn: 120, bytesOut: 5_000_000_000,
        duration: 12_345_678, upstreamDuration: 500_000, spoofed: true)

    private static func members(_ principal: Principal) -> [UInt8] {
        let standing = PolicyCatalogue([]).standing(of: principal)
        return VerifiedToken(principal: principal, standing: standing, identity: [], generation: 1).logMembers
    }

    private static func add(to buffer: inout AccessLogBuffer) -> Bool {
        buffer.append(Self.full, requestID: [], traceID: [])
    }

    private func written(
        _ facts: AccessLogBuffer.Line, traceID: String = "0af7651916cd43dd8448eb211c80319c"
    ) throws -> JSONValue {
        var buffer = AccessLogBuffer(sink: self.sink)
        _ = buffer.append(facts, requestID: Array("req-1".utf8), traceID: Array(traceID.utf8))
        buffer.handOver()
        return try self.pipe.object()
    }
}
