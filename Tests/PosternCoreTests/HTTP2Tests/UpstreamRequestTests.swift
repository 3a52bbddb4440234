import PosternCore
import Testing

/// What a request became, read in pieces.
private struct Read: Equatable {
    var head: [UpstreamRequest.Field] = []
    var content: [UInt8] = []
    var trailers: [UpstreamRequest.Field] = []
    var isComplete = false
    var problem: UpstreamRequest.Problem?

    /// Reads `text` cut at `cuts`, as a codec does: what was not used stands in front of what comes.
    init(_ text: [UInt8], cuts: [Int] = [], overTLS: Bool = false) {
        var request = UpstreamRequest(overTLS: overTLS)
        var unread: [UInt8] = []
        var start = 0
        for cut in cuts + [text.count] {
            unread += text[start..<cut]
            start = cut
            while self.take(&request, &unread) {}
        }
        if self.isComplete { #expect(request.isComplete) }
    }

    /// Takes one step. Returns whether there may be another.
    private mutating func take(_ request: inout UpstreamRequest, _ unread: inout [UInt8]) -> Bool {
        switch request.next(unread.span.bytes) {
        case .needMore:
            return false
        case .head(let end):
            self.head = request.fields
            unread.removeFirst(end)
        case .data(let range):
            self.content += unread[range]
            unread.removeFirst(range.upperBound)
        case .dataGoesOn:
            unread = []
            return false
        case .complete(let end):
            self.trailers = request.fields
            self.isComplete = true
            unread.removeFirst(end)
        case .done:
            return false
        case .problem(let problem):
            self.problem = problem
            return false
        }
        return true
    }

    init(_ text: String, overTLS: Bool = false) { self.init(Array(text.utf8), overTLS: overTLS) }

    /// Fields as `name: value`.
    var lines: [String] { self.head.map { "\($0.name): \($0.value)" } }
}

@Suite struct UpstreamRequestTests {
    @Test("a head becomes fields in lower case, the pseudo-headers first, without what speaks of a connection")
    func head() {
        let read = Read(
            "GET /a%20b?q=1 HTTP/1.1\r\nAccept: */*\r\nConnection: x\r\nHost: h.test:8\r\nTE: gzip\r\nX-User-Id: 7\r\n"
                + "Keep-Alive: timeout=5\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nCookie: a=1; b=2\r\n\r\n")
        #expect(
            read.lines == [
                ":method: GET", ":scheme: http", ":path: /a%20b?q=1", ":authority: h.test:8", "accept: */*",
                "x-user-id: 7", "cookie: a=1; b=2", "te: trailers",
            ])
        #expect(read.isComplete && read.content.isEmpty && read.trailers.isEmpty && read.problem == nil)
    }

    @Test func theSchemeIsTheConnectionsOwn() {
        #expect(Read("GET / HTTP/1.1\r\nHost: h\r\n\r\n", overTLS: true).lines[1] == ":scheme: https")
    }

    @Test("secrets, and what differs with each request, stay out of compression tables")
    func unindexed() {
        let read = Read(
            "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: x\r\nCookie: x\r\nX-Request-Id: x\r\ntraceparent: x\r\n"
                + "Content-Length: 0\r\nAccept: x\r\n\r\n")
        let unindexed = read.head.filter(\.isUnindexed).map(\.name)
        #expect(unindexed == ["authorization", "cookie", "x-request-id", "traceparent", "content-length"])
    }

    @Test("content is what its framing says, and its framing is not sent")
    func content() {
        let plain = Read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
        #expect(plain.content == Array("abc".utf8) && plain.isComplete)
        #expect(plain.lines.contains("content-length: 3"))
        let chunked = Read(
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX-Sum: 9\r\n\r\n"
        )
        #expect(chunked.content == Array("abc".utf8) && chunked.isComplete)
        #expect(chunked.trailers == [UpstreamRequest.Field("x-sum", "9")])
        #expect(!chunked.lines.contains { $0.hasPrefix("transfer-encoding") })
    }

    @Test("an unfinished request is not complete")
    func unfinished() {
        #expect(!Read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab").isComplete)
        #expect(!Read("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n").isComplete)
        #expect(!Read("GET / HTTP/1.1\r\nHost: h\r\n").isComplete)
    }

    @Test(
        "every cut of the bytes gives the same",
        arguments: [
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n0\r\nA: b\r\nC: d\r\n\r\n",
        ])
    func everyCut(_ text: String) {
        let bytes = Array(text.utf8)
        let whole = Read(bytes)
        #expect(whole.isComplete)
        for first in 0...bytes.count {
            #expect(Read(bytes, cuts: [first]) == whole, "cut at \(first)")
            #expect(Read(bytes, cuts: [first, min(first + 3, bytes.count)]) == whole, "cuts at \(first)")
        }
        #expect(Read(bytes, cuts: Array(0..<bytes.count)) == whole)
    }

    @Test func whatIsNotUTF8IsNotSentChanged() {
        let head = Array("GET / HTTP/1.1\r\nHost: h\r\nX-Name: caf".utf8) + [0xE9] + Array("\r\n\r\n".utf8)
        #expect(Read(head).problem == .notUTF8)
        let fine = Array("GET / HTTP/1.1\r\nHost: h\r\nX-Name: café\r\n\r\n".utf8)
        #expect(Read(fine).lines.contains("x-name: café"))
    }

    // MARK: - WebSockets (RFC 8441)

    @Test func aWebSocketIsAskedForByCONNECT() {
        var request = UpstreamRequest(overTLS: true)
        let text =
            "GET /chat HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Protocol: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        let bytes = Array(text.utf8)
        #expect(request.next(bytes.span.bytes) == .head(end: bytes.count))
        #expect(
            request.fields.map { "\($0.name): \($0.value)" } == [
                ":method: CONNECT", ":protocol: websocket", ":scheme: https", ":path: /chat", ":authority: h",
                "sec-websocket-version: 13", "sec-websocket-protocol: x",
            ])
        #expect(request.webSocketKey == Array("dGhlIHNhbXBsZSBub25jZQ==".utf8))
        #expect(!request.isComplete)
        let raw: [UInt8] = [1, 2, 3]
        #expect(request.next(raw.span.bytes) == .data(0..<3))
    }

    @Test func otherProtocolsCannotBeAskedFor() {
        let read = Read("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: tls/1.3\r\n\r\n")
        #expect(read.problem == .protocolSwitch)
    }
}
