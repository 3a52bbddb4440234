import PosternCore
import Testing

@Suite struct ResponseHeadTests {
    @Test(
        "response heads that are refused",
        arguments: [
            Row("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformed(.emptyLines), "an empty line before the status line"),
            Row(response(line: "HTTP/2.0 200 OK"), .versionNotSupported, "another version"),
            Row(response(line: "HTTP/1.2 200 OK"), .versionNotSupported, "another minor version"),
            Row(response(line: "ICY 200 OK, sir!"), .malformed(.startLine), "another protocol"),
            Row(response(line: "http/1.1 200 OK"), .malformed(.startLine), "a version in lower case"),
            Row(response(line: " HTTP/1.1 200 OK"), .malformed(.startLine), "a space before the version"),
            Row(response(line: "HTTP/1.1  200 OK"), .malformed(.startLine), "two spaces before the status"),
            Row(response(line: "HTTP/1.1\t200 OK"), .malformed(.startLine), "a tab before the status"),
            Row(response(line: "HTTP/1.1 20 OK..."), .malformed(.startLine), "a status of two digits"),
            Row(response(line: "HTTP/1.1 2000 OK"), .malformed(.startLine), "a status of four digits"),
            Row(response(line: "HTTP/1.1 200OK"), .malformed(.startLine), "no space before the reason"),
            Row(response(line: "HTTP/1.1 200\tOK"), .malformed(.startLine), "a tab before the reason"),
            Row(response(line: "HTTP/1.1 +20 OK"), .malformed(.startLine), "a sign in the status"),
            Row(response(line: "HTTP/1.1 099 Low"), .malformed(.startLine), "a status below 100"),
            Row(response(line: "HTTP/1.1 600 High"), .malformed(.startLine), "a status over 599"),
            Row(response(line: "HTTP/1.1 20x OK"), .malformed(.startLine), "a letter in the status"),
            Row(response(line: "HTTP/1.1"), .malformed(.startLine), "a version alone"),
            Row(response("X : a"), .malformed(.fieldName), "a space before the colon"),
            Row(response("X"), .malformed(.fieldName), "no colon"),
            Row(response(": a"), .malformed(.fieldName), "an empty name"),
            Row(response("X: a", " b"), .malformed(.foldedLine), "a folded line"),
            Row(response("X: a\0"), .malformed(.controlCharacter), "NUL in a value"),
            Row(response("X: a\n"), .malformed(.controlCharacter), "a bare LF"),
            Row(response("X: a\rb"), .malformed(.bareCarriageReturn), "a bare CR"),
            Row(response("Content-Length: 5", "Content-Length: 5"), .malformed(.contentLength), "a repeated length"),
            Row(response("Content-Length: 5, 5"), .malformed(.contentLength), "a list of lengths"),
            Row(response("Content-Length: -1"), .malformed(.contentLength), "a sign"),
            Row(response("Content-Length: 05"), .malformed(.contentLength), "a leading zero"),
            Row(response("Content-Length:"), .malformed(.contentLength), "an empty length"),
            Row(
                response("Content-Length: 5", "Transfer-Encoding: chunked"), .malformed(.lengthAndCoding),
                "both framing fields"),
            Row(
                response("Transfer-Encoding: chunked", "Content-Length: 5"), .malformed(.lengthAndCoding),
                "both framing fields, the other way round"),
            Row(
                response("Transfer-Encoding: chunked", "Content-Length: 0", line: "HTTP/1.1 204 No Content"),
                .malformed(.lengthAndCoding), "both framing fields where there is no body"),
            Row(response("Transfer-Encoding: gzip"), .unknownTransferCoding, "another coding"),
            Row(response("Transfer-Encoding: gzip, chunked"), .unknownTransferCoding, "another coding below chunked"),
            Row(
                response("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .unknownTransferCoding,
                "chunked in two lines"),
            Row(
                response("Transfer-Encoding: chunked", line: "HTTP/1.0 200 OK"), .malformed(.codingInOldVersion),
                "a coding in HTTP/1.0"),
        ] as [Row<HTTPProblem>])
    func refused(_ row: Row<HTTPProblem>) {
        for cuts in [[]] + everyCut(row.bytes) {
            #expect(responseProblem(row.bytes, cuts: cuts) == row.expected)
            #expect(responseProblem(row.bytes, cuts: cuts, toHead: true) == row.expected, "to HEAD")
        }
    }

    @Test(
        "status lines that are accepted",
        arguments: [
            Row("HTTP/1.1 200 OK", " 200 OK", "the usual one"),
            Row("HTTP/1.1 200 ", " 200 ", "an empty reason"),
            Row("HTTP/1.1 200", " 200", "no space after the status, as many servers send it"),
            Row("HTTP/1.0 200 OK", " 200 OK", "the old version"),
            Row("HTTP/1.1 200 \tvery  good é", " 200 \tvery  good é", "blanks and bytes over 0x7F in the reason"),
        ] as [Row<String>])
    func statusLine(_ row: Row<String>) throws {
        let bytes = row.bytes + Array("\r\n\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let read = try #require(try readResponse(bytes, cuts: cuts))
            #expect(read.head.status == 200)
            #expect(read.text(read.head.statusAndReason) == row.expected)
            #expect(read.head.end == bytes.count)
        }
    }

    @Test(
        "how a response body is delimited (RFC 9112 section 6.3)",
        arguments: [
            Row(response("Content-Length: 5"), BodyFraming.length(5), "a length"),
            Row(response("Content-Length: 0"), .none, "a length of nothing"),
            Row(response("Transfer-Encoding: CHUNKED"), .chunked, "chunked"),
            Row(response(), .untilClose, "neither: the end of the connection"),
            Row(response(line: "HTTP/1.0 200 OK"), .untilClose, "neither in HTTP/1.0"),
            Row(response("Content-Length: 5", line: "HTTP/1.0 200 OK"), .length(5), "a length in HTTP/1.0"),
            Row(response("Content-Length: 5", line: "HTTP/1.1 304 Not Modified"), .none, "304 has no body"),
            Row(response(line: "HTTP/1.1 304 Not Modified"), .none, "304 without a length"),
            Row(response("Content-Length: 5", line: "HTTP/1.1 204 No Content"), .none, "204 has no body"),
            Row(
                response("Transfer-Encoding: chunked", line: "HTTP/1.1 204 No Content"), .none,
                "204 with chunks has none"),
            Row(response(line: "HTTP/1.1 103 Early Hints"), .none, "interim responses have no body"),
            Row(response("Content-Length: 5", line: "HTTP/1.1 100 Continue"), .none, "100 with a length has none"),
            Row(response(line: "HTTP/1.1 500 Oops"), .untilClose, "an error until the end"),
        ] as [Row<BodyFraming>])
    func framing(_ row: Row<BodyFraming>) throws {
        for cuts in [[]] + everyCut(row.bytes) {
            #expect(try #require(try readResponse(row.bytes, cuts: cuts)).head.framing == row.expected)
        }
        #expect(try #require(try readResponse(row.bytes, toHead: true)).head.framing == .none, "to HEAD")
    }

    @Test(
        "whether the upstream keeps its connection",
        arguments: [
            Row(response("Content-Length: 0"), true, "HTTP/1.1 keeps it"),
            Row(response("Content-Length: 0", "Connection: close"), false, "close"),
            Row(response("Content-Length: 0", "Connection: keep-alive, Close"), false, "close beside keep-alive"),
            Row(response("Content-Length: 0", "Connection: close", "Connection: keep-alive"), false, "in two lines"),
            Row(response(), false, "a body until the end"),
            Row(response("Connection: keep-alive"), false, "a body until the end, whatever Connection says"),
            Row(response("Content-Length: 0", line: "HTTP/1.0 200 OK"), false, "HTTP/1.0 does not"),
            Row(
                response("Content-Length: 0", "Connection: Keep-Alive", line: "HTTP/1.0 200 OK"), true,
                "HTTP/1.0 with keep-alive"),
            Row(response(line: "HTTP/1.1 304 Not Modified"), true, "no body"),
        ] as [Row<Bool>])
    func keepAlive(_ row: Row<Bool>) throws {
        #expect(try #require(try readResponse(row.bytes)).head.keepAlive == row.expected)
    }

    @Test(
        "the seconds of Keep-Alive: timeout=",
        arguments: [
            Row("timeout=5", 5, "a number"), Row("timeout=5, max=100", 5, "the first of two parameters"),
            Row("max=100, Timeout=5", 5, "the second, any case"), Row("timeout=0", 0, "zero"),
            Row("max=100", nil, "another parameter"), Row("timeout=", nil, "no number"),
            Row("timeout=-1", nil, "a sign"), Row("timeout=5s", nil, "a unit"), Row("timeout", nil, "a name alone"),
            Row("timeout=9999999999999999999999", nil, "more than any number holds"), Row("", nil, "nothing"),
        ] as [Row<Int64?>])
    func keepAliveTimeout(_ row: Row<Int64?>) throws {
        let read = try #require(try readResponse(response("Keep-Alive: \(row.text)")))
        #expect(read.head.keepAliveTimeout == row.expected)
    }

    @Test("a stream of events, or of messages of gRPC, is known by its type")
    func eventStream() throws {
        #expect(try #require(try readResponse(response("Content-Type: Text/Event-Stream"))).head.isEventStream)
        #expect(
            try #require(try readResponse(response("Content-Type: text/event-stream; charset=x"))).head.isEventStream)
        #expect(try #require(try readResponse(response("Content-Type: application/grpc+proto"))).head.isEventStream)
        #expect(try !#require(try readResponse(response("Content-Type: text/html"))).head.isEventStream)
        #expect(try !#require(try readResponse(response("X-Content-Type: text/event-stream"))).head.isEventStream)
    }

    @Test("interim responses are told from final ones")
    func interim() throws {
        #expect(try #require(try readResponse(response(line: "HTTP/1.1 100 Continue"))).head.isInterim)
        #expect(try #require(try readResponse(response(line: "HTTP/1.1 199 x"))).head.isInterim)
        #expect(try !#require(try readResponse(response(line: "HTTP/1.1 200 OK"))).head.isInterim)
        #expect(try !#require(try readResponse(response(line: "HTTP/1.1 599 x"))).head.isInterim)
    }

    @Test("a head that is read into a used value keeps nothing of the one before")
    func reuseLeavesNothing() throws {
        var head = ResponseHead()
        let rich = Array(
            response(
                "Content-Length: 5", "Connection: close, x-a", "Keep-Alive: timeout=3",
                "Content-Type: text/event-stream"
            ).utf8)
        try head.read(
            rich.span.bytes, lines: scan(rich, skipsEmptyLine: false).lines, end: rich.count, toHead: false)
        #expect(!head.keepAlive && !head.nominated.isEmpty && head.keepAliveTimeout == 3 && head.isEventStream)
        let plain = Array(response("Transfer-Encoding: chunked").utf8)
        try head.read(
            plain.span.bytes, lines: scan(plain, skipsEmptyLine: false).lines, end: plain.count, toHead: false)
        #expect(head.keepAlive && head.nominated.isEmpty && head.keepAliveTimeout == nil && !head.isEventStream)
        #expect(head.framing == .chunked && head.fields.count == 1)
    }

    @Test("mutated response heads never trap, and an accepted one has no bare CR, LF or NUL")
    func mutatedHeads() {
        let valid = [
            response("Content-Length: 5", "Connection: close, x"), response("Transfer-Encoding: chunked"),
            response("Keep-Alive: timeout=5, max=3", "Set-Cookie: a=b"), response(line: "HTTP/1.0 404"),
        ].map { Array($0.utf8) }
        var numbers = SeededNumbers(seed: 21)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = numbers.pick(valid)
            for _ in 0..<Int.random(in: 1...2, using: &numbers) {
                let at = bytes.indices.randomElement(using: &numbers) ?? 0
                let byte = numbers.pick([0, 9, 10, 13, 32, 0x2C, 0x30, 0x3A, 0x7F, 0x80, 0xFF] as [UInt8])
                if Bool.random(using: &numbers) { bytes[at] = byte } else { bytes.insert(byte, at: at) }
            }
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            #expect(responseProblem(bytes) == responseProblem(bytes, cuts: [cut]))
            guard let read = try? readResponse(bytes) else { continue }
            accepted += 1
            let lines = bytes[..<read.head.end].split(separator: 10, omittingEmptySubsequences: false).dropLast()
            for line in lines {
                #expect(line.last == 13)
                #expect(line.dropLast().allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 != 0x7F) })
            }
        }
        #expect(accepted > 1_000)
    }
}
