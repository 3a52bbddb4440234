import PosternCore
import Testing

@Suite struct DownstreamRequestHeadTests {
    typealias Fields = [(String, String)]

    struct Accepted: Sendable, CustomTestStringConvertible {
        let fields: [(String, String)]
        let endsStream: Bool
        let head: String
        let facts: DownstreamRequestHead.Facts
        let testDescription: String

        init(
            _ fields: [(String, String)], ends: Bool = true, _ head: String, framing: BodyFraming = .none,
            toHead: Bool = false, tunnel: DownstreamRequestHead.Tunnel? = nil, _ text: String
        ) {
            self.fields = fields
            self.endsStream = ends
            self.head = head
            self.facts = DownstreamRequestHead.Facts(framing: framing, toHead: toHead, tunnel: tunnel)
            self.testDescription = text
        }
    }

    static let get: Fields = [
        (":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/p?q=1"),
    ]
    static let connect: Fields = [
        (":method", "CONNECT"), (":scheme", "https"), (":authority", "a.example"), (":path", "/ws"),
        (":protocol", "websocket"),
    ]

    static let post = changed(":method", "POST")
    static let httpTunnel = without(":protocol", connect)

    static func plus(_ fields: Fields, _ more: (String, String)...) -> Fields { fields + more }
    static func with(_ name: String, _ value: String) -> Fields { Self.get + [(name, value)] }
    static func without(_ name: String, _ fields: Fields) -> Fields { fields.filter { $0.0 != name } }
    static func changed(_ name: String, _ value: String) -> Fields {
        Self.get.map { $0.0 == name ? (name, value) : $0 }
    }

    /// Makes a head as a stream does.
    static func make(
        _ fields: Fields, endsStream: Bool = true
    ) throws(HTTP2Malformation) -> (String, DownstreamRequestHead.Facts) {
        var maker = DownstreamRequestHead()
        maker.begin()
        for (name, value) in fields { try maker.add(name, value) }
        var output: [UInt8] = []
        let facts = try maker.finish(endsStream: endsStream, webSocketKey: { Array("KEY".utf8) }, into: &output)
        return (String(decoding: output, as: UTF8.self), facts)
    }

    @Test(
        "a request becomes the head of HTTP/1.1 that means the same",
        arguments: [
            Accepted(get, "GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\n\r\n", "a GET"),
            Accepted(
                plus(get, ("x-a", "1"), ("accept", "a, b"), ("x-a", "")), ends: true,
                "GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\nx-a: 1\r\naccept: a, b\r\nx-a: \r\n\r\n",
                "fields in their order, repeated and empty ones, too"),
            Accepted(
                plus(get, ("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")),
                "GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\nx: y\r\ncookie: a=1; b=2; c=3\r\n\r\n",
                "crumbs of Cookie are joined"),
            Accepted(
                plus(get, ("te", "trailers")), "GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\n\r\n",
                "TE stays on its stream"),
            Accepted(
                plus(get, ("host", "A.Example")), "GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\n\r\n",
                "a Host that agrees is one with :authority"),
            Accepted(
                [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "b.example:81")],
                "GET / HTTP/1.1\r\nhost: b.example:81\r\n\r\n", "Host alone"),
            Accepted(
                [(":method", "GET"), (":scheme", "http"), (":path", "/")], "GET / HTTP/1.1\r\n\r\n",
                "no host at all is for the parser to refuse"),
            Accepted(
                [(":path", "*"), (":authority", "a"), (":scheme", "https"), (":method", "OPTIONS")],
                "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "pseudo-header fields in any order, OPTIONS *"),
            Accepted(
                changed(":method", "HEAD"), "HEAD /p?q=1 HTTP/1.1\r\nhost: a.example\r\n\r\n",
                toHead: true,
                "HEAD"),
            Accepted(
                plus(post, ("content-length", "12")), ends: false,
                "POST /p?q=1 HTTP/1.1\r\nhost: a.example\r\ncontent-length: 12\r\n\r\n", framing: .length(12),
                "content of a length"),
            Accepted(
                post, ends: false,
                "POST /p?q=1 HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n", framing: .chunked,
                "content of any length"),
            Accepted(
                plus(post, ("content-length", "0")),
                "POST /p?q=1 HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\n\r\n", "content of no length"),
            Accepted(
                [(":method", "CONNECT"), (":authority", "a.example:443")],
                "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n", "CONNECT is for the parser to refuse"),
            Accepted(
                plus(connect, ("sec-websocket-version", "13"), ("sec-websocket-key", "theirs")), ends: false,
                "GET /ws HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: KEY\r\n"
                    + "host: a.example\r\nsec-websocket-version: 13\r\n\r\n", tunnel: .webSocket,
                "a WebSocket, with the proxy's key"),
            Accepted(
                plus(httpTunnel, (":protocol", "tcp")), ends: false,
                "GET /ws HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: tcp\r\nhost: a.example\r\n\r\n", tunnel: .other,
                "another tunnel"),
        ])
    func accepted(row: Accepted) throws {
        let (head, facts) = try Self.make(row.fields, endsStream: row.endsStream)
        #expect(head == row.head)
        #expect(facts == row.facts)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let fields: [(String, String)]
        let why: HTTP2Malformation
        let endsStream: Bool

        init(_ fields: [(String, String)], _ why: HTTP2Malformation, ends: Bool = true) {
            self.fields = fields
            self.why = why
            self.endsStream = ends
        }
        var testDescription: String { "\(self.fields.map { "\($0.0): \($0.1)" })" }
    }

    @Test(
        "a malformed request becomes nothing",
        arguments: [
            Refused(with("X-A", "1"), .fieldName), Refused(with("", "1"), .fieldName),
            Refused(with("a b", "1"), .fieldName), Refused(with("a:b", "1"), .fieldName),
            Refused(with("x-\u{e9}", "1"), .fieldName), Refused(with("a\r\nb", "1"), .fieldName),
            Refused(with("a", "1\r\nhost: evil"), .fieldValue), Refused(with("a", "1\nb: c"), .fieldValue),
            Refused(with("a", "1\0"), .fieldValue), Refused(with("a", " 1"), .fieldValue),
            Refused(with("a", "1\t"), .fieldValue), Refused(with("a", "\u{7f}"), .fieldValue),
            Refused(with("a", "b\u{fffd}c"), .fieldValue), Refused(with("cookie", "a=1\r\nx: y"), .fieldValue),
            Refused(with("host", "a.example\r\nx: y"), .fieldValue),
            Refused(with("connection", "close"), .connectionField),
            Refused(with("keep-alive", "timeout=5"), .connectionField),
            Refused(with("proxy-connection", "close"), .connectionField),
            Refused(with("transfer-encoding", "chunked"), .connectionField),
            Refused(with("upgrade", "h2c"), .connectionField), Refused(with("te", "gzip"), .teField),
            Refused(with("te", "trailers, gzip"), .teField), Refused(with(":path", "/x"), .pseudoRepeated),
            Refused(plus(with("a", "b"), (":path", "/")), .pseudoOrder),
            Refused(with(":status", "200"), .pseudoUnknown),
            Refused(with(":Path", "/"), .pseudoUnknown), Refused(with(":", "/"), .pseudoUnknown),
            Refused(without(":method", get), .pseudoMissing), Refused(without(":scheme", get), .pseudoMissing),
            Refused(without(":path", get), .pseudoMissing), Refused(changed(":path", ""), .pseudoValue),
            Refused(changed(":path", "p"), .pseudoValue), Refused(changed(":path", "*"), .pseudoValue),
            Refused(changed(":path", "http://evil/"), .pseudoValue),
            Refused(changed(":path", "/ HTTP/1.1\r\nx: y"), .pseudoValue),
            Refused(changed(":path", "/a b"), .pseudoValue), Refused(changed(":scheme", "ftp"), .pseudoValue),
            Refused(changed(":scheme", "HTTP"), .pseudoValue), Refused(changed(":scheme", ""), .pseudoValue),
            Refused(changed(":method", ""), .pseudoValue), Refused(changed(":method", "GET /x"), .pseudoValue),
            Refused(changed(":method", "GET\r\n"), .pseudoValue), Refused(changed(":authority", ""), .pseudoValue),
            Refused(changed(":authority", "a\r\nx: y"), .pseudoValue),
            Refused(with("host", "b.example"), .hostMismatch), Refused(with("host", ""), .hostMismatch),
            Refused(plus(with("host", "a.example"), ("host", "a.example")), .hostMismatch),
            Refused(with("content-length", "x"), .contentLength), Refused(with("content-length", "-1"), .contentLength),
            Refused(with("content-length", "01"), .contentLength), Refused(with("content-length", ""), .contentLength),
            Refused(with("content-length", "1, 1"), .contentLength),
            Refused(plus(with("content-length", "1"), ("content-length", "1")), .contentLength, ends: false),
            Refused(with("content-length", "1"), .contentLength),
            Refused(plus(get, ("a", "b"), (":protocol", "websocket")), .pseudoOrder),
            Refused(plus([(":protocol", "websocket")], get[0], get[1], get[2], get[3]), .pseudoMissing),
            Refused([(":method", "CONNECT"), (":authority", "a"), (":scheme", "https")], .pseudoMissing),
            Refused([(":method", "CONNECT"), (":authority", "a"), (":path", "/")], .pseudoMissing),
            Refused([(":method", "CONNECT")], .pseudoMissing),
            Refused(without(":authority", connect), .pseudoMissing, ends: false),
            Refused(without(":path", connect), .pseudoMissing, ends: false),
            Refused(without(":scheme", connect), .pseudoMissing, ends: false),
            Refused(plus(httpTunnel, (":protocol", "web socket")), .pseudoValue, ends: false),
            Refused(plus(httpTunnel, (":protocol", "a\r\nx: y")), .pseudoValue, ends: false),
            Refused(plus(connect, ("content-length", "1")), .contentLength, ends: false),
            Refused([], .pseudoMissing),
        ])
    func refused(row: Refused) {
        #expect(throws: row.why) { try Self.make(row.fields, endsStream: row.endsStream) }
    }

    @Test("whatever byte stands anywhere, no line comes of it that was not a field")
    func injection() {
        let base = Self.plus(Self.connect, ("a", "b"), ("cookie", "c"), ("host", "a.example"))
        for scalar in 0..<0x100 {
            let text = String(UnicodeScalar(UInt8(scalar)))
            for place in base.indices {
                for isName in [true, false] {
                    var fields = base
                    let name = isName ? Self.insert(text, into: base[place].0) : base[place].0
                    let value = isName ? base[place].1 : Self.insert(text, into: base[place].1)
                    fields[place] = (name, value)
                    guard let (head, _) = try? Self.make(fields, endsStream: false) else { continue }
                    let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
                    // The request line, Connection, Upgrade, the key, Host, two fields, and the end of the head; and what
                    // was Host, if it is that no more; less the key, if it is no WebSocket any more.
                    let isNoHost = isName && base[place].0 == "host"
                    let isNoWebSocket = !isName && base[place].0 == ":protocol"
                    #expect(lines.count == (isNoHost ? 10 : isNoWebSocket ? 8 : 9), "\(name): \(value)")
                    let rest = head.replacing("\r\n", with: "")
                    #expect(rest.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" })
                    #expect(lines[0].hasPrefix("GET /"))
                    #expect(lines[0].split(separator: " ").count == 3)
                }
            }
        }
    }

    private static func insert(_ text: String, into part: String) -> String {
        String(part.prefix(1)) + text + String(part.dropFirst(1))
    }

    @Test("the request before leaves nothing behind")
    func reused() throws {
        var maker = DownstreamRequestHead()
        maker.begin()
        for (name, value) in Self.connect { try maker.add(name, value) }
        try maker.add("cookie", "a=1")
        try maker.add("x-a", "1")
        #expect(throws: HTTP2Malformation.fieldValue) { try maker.add("x-b", "\r") }
        maker.begin()
        for (name, value) in Self.get { try maker.add(name, value) }
        var output: [UInt8] = []
        _ = try maker.finish(endsStream: true, webSocketKey: { [] }, into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "GET /p?q=1 HTTP/1.1\r\nhost: a.example\r\n\r\n")
    }
}
