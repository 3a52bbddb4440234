import PosternCore
import Testing

@Suite struct DownstreamHeadTests {
    private static func compose(
        _ text: String, minorVersion: UInt8 = 1, close: Bool = false, toHead: Bool = false
    ) throws -> (text: String, framing: DownstreamHead.Framing) {
        let read = try #require(try readResponse(text, toHead: toHead))
        let framing = DownstreamHead.framing(of: read.head, minorVersion: minorVersion)
        var output: [UInt8] = []
        DownstreamHead.compose(
            read.bytes.span.bytes, read.head, client: .init(minorVersion: minorVersion, close: close), framing: framing,
            into: &output)
        return (String(decoding: output, as: UTF8.self), framing)
    }

    @Test("lines that stay keep their order, spelling and blanks; status and reason pass as they came")
    func keptLines() throws {
        let lines =
            "SERVER:x\r\nSet-Cookie: a=b\r\ncontent-length:  5 \r\nset-cookie: c=d\r\nX-Empty:\r\nWWW-Authenticate: Basic\r\n"
        let result = try Self.compose("HTTP/1.1 404 Not \tthere é\r\n\(lines)\r\n")
        #expect(result.text == "HTTP/1.1 404 Not \tthere é\r\n\(lines)\r\n")
        #expect(result.framing == .plain)
    }

    @Test(
        "the status line",
        arguments: [
            Row("HTTP/1.0 200 OK", "HTTP/1.1 200 OK", "the version is the proxy's own"),
            Row("HTTP/1.1 200", "HTTP/1.1 200 ", "the space before an empty reason is put in"),
            Row("HTTP/1.1 200 ", "HTTP/1.1 200 ", "an empty reason stays"),
        ] as [Row<String>])
    func statusLine(_ row: Row<String>) throws {
        #expect(
            try Self.compose("\(row.text)\r\nContent-Length: 0\r\n\r\n").text
                == "\(row.expected)\r\nContent-Length: 0\r\n\r\n")
    }

    @Test(
        "lines that never go on, first, between others and last",
        arguments: [
            "Connection: close", "Connection: keep-alive", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive",
            "Upgrade: h2c", "TE: x", "HTTP2-Settings: x", "Connection: x-gone\r\nX-Gone: 1",
            "x-gone: 1\r\nconnection: X-Gone",
        ])
    func removed(_ line: String) throws {
        for lines in [[line, "X-A: 1", "X-B: 2"], ["X-A: 1", line, "X-B: 2"], ["X-A: 1", "X-B: 2", line]] {
            let text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + lines.joined(separator: "\r\n") + "\r\n\r\n"
            #expect(try Self.compose(text).text == "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: 1\r\nX-B: 2\r\n\r\n")
        }
    }

    @Test("Connection cannot take the length away, which would change where the body ends")
    func nominatedLength() throws {
        let text = "HTTP/1.1 200 OK\r\nConnection: content-length, x-a\r\nContent-Length: 5\r\nX-A: 1\r\n\r\n"
        #expect(try Self.compose(text).text == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    }

    @Test(
        "the framing of the client's side",
        arguments: [
            Row("Content-Length: 5", "Content-Length: 5\r\n", "a length stays"),
            Row("Transfer-Encoding: Chunked", "Transfer-Encoding: chunked\r\n", "chunks get a line of the proxy's own"),
            Row("X: y", "X: y\r\nTransfer-Encoding: chunked\r\n", "a body until the end becomes chunks"),
        ] as [Row<String>])
    func framing(_ row: Row<String>) throws {
        #expect(
            try Self.compose("HTTP/1.1 200 OK\r\n\(row.text)\r\n\r\n").text == "HTTP/1.1 200 OK\r\n\(row.expected)\r\n")
    }

    @Test("an HTTP/1.0 client gets no chunks: the end of its connection ends the body")
    func oldClient() throws {
        for line in ["Transfer-Encoding: chunked\r\n", ""] {
            let result = try Self.compose("HTTP/1.1 200 OK\r\nX: y\r\n\(line)\r\n", minorVersion: 0, close: true)
            #expect(result.text == "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n")
            #expect(result.framing == .untilClose)
        }
    }

    @Test("an HTTP/1.0 client is told that its connection goes on, an HTTP/1.1 client only that it ends")
    func connection() throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
        #expect(try Self.compose(text).text == plain + "\r\n")
        #expect(try Self.compose(text, close: true).text == plain + "Connection: close\r\n\r\n")
        #expect(try Self.compose(text, minorVersion: 0).text == plain + "Connection: keep-alive\r\n\r\n")
        #expect(try Self.compose(text, minorVersion: 0, close: true).text == plain + "Connection: close\r\n\r\n")
    }

    @Test(
        "responses without a body",
        arguments: [
            Row("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n", "HTTP/1.1 204 No Content\r\n", "no length in 204"),
            Row(
                "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.1 204 No Content\r\n",
                "no coding in 204"),
            Row(
                "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n",
                "an interim response"),
            Row("HTTP/1.1 102 x\r\nContent-Length: 3\r\n", "HTTP/1.1 102 x\r\n", "no length in an interim response"),
            Row(
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n",
                "304 may say how long the body would be"),
            Row(
                "HTTP/1.1 304 Not Modified\r\nETag: x\r\n", "HTTP/1.1 304 Not Modified\r\nETag: x\r\n",
                "304 without a length"),
        ] as [Row<String>])
    func bodiless(_ row: Row<String>) throws {
        for minorVersion in [0, 1] as [UInt8] {
            let result = try Self.compose(row.text + "\r\n", minorVersion: minorVersion)
            let connection = minorVersion == 0 ? "Connection: keep-alive\r\n" : ""
            #expect(result.text == row.expected + connection + "\r\n")
            #expect(result.framing == .plain)
        }
    }

    @Test("the answer to HEAD keeps its length and gets no coding")
    func toHead() throws {
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        #expect(try Self.compose(length, toHead: true).text == length)
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
        #expect(try Self.compose(chunked, toHead: true).text == "HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
    }

    @Test("10,000 composed heads are accepted by the same strict parser, with the framing that was said")
    func composedHeadsAreAccepted() throws {
        let statuses = ["200 OK", "204 No Content", "304 Not Modified", "103 Early Hints", "500", "401 No"]
        let pieces = [
            "Connection: x-a", "Connection: close", "Connection: content-length", "Connection: transfer-encoding",
            "X-A: 1", "Set-Cookie: a", "Keep-Alive: timeout=3", "Upgrade: x", "Trailer: X-A", "X-B:",
        ]
        let framings = ["", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n"]
        var numbers = SeededNumbers(seed: 400)
        for _ in 0..<10_000 {
            var lines = (0..<Int.random(in: 0..<5, using: &numbers)).map { _ in numbers.pick(pieces) + "\r\n" }
            lines.insert(numbers.pick(framings), at: Int.random(in: 0...lines.count, using: &numbers))
            let text = "HTTP/1.1 \(numbers.pick(statuses))\r\n" + lines.joined() + "\r\n"
            let isOld = Bool.random(using: &numbers)
            let toHead = Bool.random(using: &numbers)
            let original = try #require(try readResponse(text, toHead: toHead))
            let result = try Self.compose(text, minorVersion: isOld ? 0 : 1, close: isOld, toHead: toHead)
            guard let read = try? readResponse(result.text, toHead: toHead) else {
                Issue.record("\(text.debugDescription) became \(result.text.debugDescription), which is not accepted")
                return
            }
            let expected: BodyFraming =
                switch (original.head.framing, isOld) {
                case (.none, _), (.length, _): original.head.framing
                case (_, true): .untilClose
                case (_, false): .chunked
                }
            #expect(read.head.framing == expected, "\(text.debugDescription) became \(result.text.debugDescription)")
            #expect(read.head.status == original.head.status)
            #expect(read.head.keepAlive != isOld)
            #expect(read.head.nominated.isEmpty)
        }
    }
}
