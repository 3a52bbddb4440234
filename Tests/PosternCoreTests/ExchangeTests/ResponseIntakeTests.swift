import Testing

@testable import PosternCore

@Suite struct ResponseIntakeTests {
    /// A response, as something that can be compared.
    private enum Taken: Equatable {
        case incomplete
        case problem(HTTPProblem)
        case head(ResponseIntake.Facts, composed: [UInt8])
    }

    private static let client = DownstreamHead.Client(minorVersion: 1, close: false)

    /// Takes the prefixes of `bytes` that end at `cuts`, then all of them.
    private static func take(
        _ bytes: [UInt8], cuts: [Int] = [], toHead: Bool = false, limits: HeadLimits = HeadLimits(),
        _ intake: inout ResponseIntake, between: (inout ResponseIntake) -> Void = { _ in }
    ) -> Taken {
        var resumed: HeadScanner?
        for cut in cuts + [bytes.count] {
            let part = Array(bytes[..<cut])
            switch intake.take(part.span.bytes, resumed: resumed, limits: limits, toHead: toHead) {
            case .incomplete(let scanner):
                resumed = scanner
                between(&intake)
            case .problem(let problem):
                return .problem(problem)
            case .head(let facts):
                var output: [UInt8] = []
                intake.compose(
                    part.span.bytes, client: Self.client,
                    framing: DownstreamHead.framing(of: facts.framing, minorVersion: 1), into: &output)
                return .head(facts, composed: output)
            }
        }
        return .incomplete
    }

    /// The same by the steps behind it, in fresh memory.
    private static func reference(_ bytes: [UInt8], toHead: Bool) -> Taken {
        do throws(HTTPProblem) {
            guard let read = try readResponse(bytes, toHead: toHead) else { return .incomplete }
            var output: [UInt8] = []
            DownstreamHead.compose(
                bytes.span.bytes, read.head, client: Self.client,
                framing: DownstreamHead.framing(of: read.head, minorVersion: 1), into: &output)
            return .head(ResponseIntake.Facts(read.head), composed: output)
        } catch {
            return .problem(error)
        }
    }

    private static func facts(_ text: String, toHead: Bool = false) throws -> ResponseIntake.Facts {
        var intake = ResponseIntake()
        guard case .head(let facts, _) = Self.take(Array(text.utf8), toHead: toHead, &intake) else {
            Issue.record("no head: \(text)")
            throw HTTPProblem.malformed(.startLine)
        }
        return facts
    }

    private static let whole: [[UInt8]] = [
        response("Content-Length: 5", "Set-Cookie: a=b"), response("Transfer-Encoding: chunked", "X: y"),
        response("Connection: close, x-gone", "X-Gone: 1", "Content-Type: text/event-stream"),
        response(line: "HTTP/1.1 101 Switching Protocols"), response("Link: </a>", line: "HTTP/1.1 103 Early Hints"),
        response("Keep-Alive: timeout=7", "Connection: keep-alive", line: "HTTP/1.0 304"),
        response("Content-Length: 5", "Server: x\tÿ", line: "HTTP/1.1 200"),
    ].map { Array($0.utf8) }

    @Test(
        "a head cut anywhere comes to what it comes to whole, whatever other connections take in between",
        arguments: whole)
    func everyCutOfAHead(_ bytes: [UInt8]) {
        let other = Array(response("A: b", "C: d", "Connection: e", "E:", line: "HTTP/1.0 500 x").utf8)
        for toHead in [false, true] {
            let expected = Self.reference(bytes, toHead: toHead)
            var intake = ResponseIntake()
            #expect(Self.take(bytes, toHead: toHead, &intake) == expected)
            #expect(Self.take(bytes + [0, 0xFF] + other, toHead: toHead, &intake) == expected)
            for cuts in everyCut(bytes) {
                var asked = 0
                let taken = Self.take(bytes, cuts: cuts, toHead: toHead, &intake) { intake in
                    asked += 1
                    _ = intake.take(other.span.bytes, resumed: nil, limits: HeadLimits(), toHead: !toHead)
                }
                #expect(taken == expected && asked == cuts.count, "\(cuts)")
            }
        }
    }

    @Test("the facts are those of the head")
    func facts() throws {
        let text = response(
            "Content-Type: Text/Event-Stream; charset=utf-8", "Keep-Alive: max=5, timeout=30", "Content-Length: 9")
        let facts = try Self.facts(text)
        #expect(facts.status == 200 && facts.end == text.utf8.count && facts.framing == .length(9))
        #expect(facts.keepAlive && facts.keepAliveTimeout == 30 && facts.isEventStream && !facts.isInterim)
        let closing = try Self.facts(response("Connection: close", "Content-Length: 0", line: "HTTP/1.1 599 x"))
        #expect(closing.status == 599 && closing.framing == .none && !closing.keepAlive)
        #expect(closing.keepAliveTimeout == nil && !closing.isEventStream)
        #expect(try Self.facts(response("X: y")).framing == .untilClose)
        #expect(try !Self.facts(response("X: y")).keepAlive)
        #expect(try Self.facts(response("Transfer-Encoding: chunked")).framing == .chunked)
        #expect(try !Self.facts(response("Content-Length: 1", line: "HTTP/1.0 200 OK")).keepAlive)
    }

    @Test("the answer to HEAD, and 1xx, have no body whatever their fields say")
    func bodiless() throws {
        for field in ["Content-Length: 5", "Transfer-Encoding: chunked", "X: y"] {
            let toHead = try Self.facts(response(field), toHead: true)
            #expect(toHead.framing == .none && toHead.keepAlive && !toHead.isInterim)
            for status in [100, 101, 102, 103, 199] {
                let interim = try Self.facts(response(field, line: "HTTP/1.1 \(status) x"))
                #expect(interim.status == status && interim.framing == .none && interim.isInterim)
            }
            #expect(try !Self.facts(response(field, line: "HTTP/1.1 204 x")).isInterim)
        }
    }

    @Test(
        "heads that are none",
        arguments: [
            Row("HTTP/1.1 99 x\r\n\r\n", .malformed(.startLine), "the status"),
            Row("HTTP/2.0 200 OK\r\n\r\n", .versionNotSupported, "the version"),
            Row("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformed(.emptyLines), "an empty line before it"),
            Row("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", .malformed(.fieldName), "a field name"),
            Row("HTTP/1.1 200 OK\r\nX: y\n\r\n", .malformed(.controlCharacter), "a bare LF"),
            Row(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .malformed(.contentLength),
                "two lengths"),
            Row(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                .malformed(.lengthAndCoding), "a length and a coding"),
            Row("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .unknownTransferCoding, "an unknown coding"),
            Row("HTTP/1.1 200 OK\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", .headTooLarge, "the number of fields"),
            Row(
                "HTTP/1.1 200 OK\r\nA: \(String(repeating: "x", count: 300))\r\n\r\n", .headTooLarge,
                "the number of bytes"),
        ] as [Row<HTTPProblem>])
    func problems(_ row: Row<HTTPProblem>) {
        let limits = HeadLimits(head: 200, target: 100, fields: 3)
        var intake = ResponseIntake()
        for cuts in [[]] + everyCut(row.bytes) {
            #expect(Self.take(row.bytes, cuts: cuts, limits: limits, &intake) == .problem(row.expected), "\(cuts)")
        }
        #expect(Self.take(Self.whole[0], &intake) == Self.reference(Self.whole[0], toHead: false), "no harm is left")
    }

    @Test("10,000 responses in one intake's memory come to what each comes to alone")
    func agreesWithItsSteps() {
        let lines = [
            "HTTP/1.1 200 OK", "HTTP/1.1 204 x", "HTTP/1.0 200 OK", "HTTP/1.1 304 x", "HTTP/1.1 101 x", "HTTP/1.1 2",
        ]
        let pieces = [
            "Connection: x-a", "Connection: close", "Connection: keep-alive", "X-A: 1", "Set-Cookie: a",
            "Keep-Alive: timeout=3", "Content-Length: 5", "Content-Length: 0", "Transfer-Encoding: chunked",
            "Upgrade: x",
            "Content-Type: text/event-stream", "X-B:", "X B: c", "",
        ]
        var numbers = SeededNumbers(seed: 500)
        var intake = ResponseIntake()
        var heads = 0
        for _ in 0..<10_000 {
            let fields = (0..<Int.random(in: 0..<5, using: &numbers)).map { _ in numbers.pick(pieces) + "\r\n" }
            var bytes = Array((numbers.pick(lines) + "\r\n" + fields.joined() + "\r\n").utf8)
            if Int.random(in: 0..<4, using: &numbers) == 0 {
                bytes[Int.random(in: bytes.indices, using: &numbers)] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
            }
            let toHead = Bool.random(using: &numbers)
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            let taken = Self.take(bytes, cuts: [cut], toHead: toHead, &intake)
            let expected = Self.reference(bytes, toHead: toHead)
            guard taken == expected else {
                Issue.record("\(String(decoding: bytes, as: UTF8.self).debugDescription): \(taken), not \(expected)")
                return
            }
            if case .head = taken { heads += 1 }
        }
        #expect(heads > 3_000)
    }
}
