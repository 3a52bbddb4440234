import PosternCore
import Testing

@Suite struct FieldLineTests {
    @Test(
        "field lines that are refused",
        arguments: [
            Row("X : a", .fieldName, "a space before the colon"),
            Row("X\t: a", .fieldName, "a tab before the colon"),
            Row("Content-Length : 5", .fieldName, "a space before the colon of a framing field"),
            Row("Transfer-Encoding : chunked", .fieldName, "a space before the colon of a transfer coding"),
            Row(": a", .fieldName, "an empty name"),
            Row(":", .fieldName, "a colon alone"),
            Row("X", .fieldName, "no colon"),
            Row("X a", .fieldName, "a space in place of the colon"),
            Row("X Y: a", .fieldName, "a space inside the name"),
            Row("(X): a", .fieldName, "a delimiter in the name"),
            Row("X/Y: a", .fieldName, "a slash in the name"),
            Row("\"X\": a", .fieldName, "quotes around the name"),
            Row("Xé: a", .fieldName, "a byte over 0x7F in the name"),
            Row("X=Y", .fieldName, "an equals sign"),
            Row(" X: a", .foldedLine, "a line that begins with a space"),
            Row("\tX: a", .foldedLine, "a line that begins with a tab"),
            Row(" ", .foldedLine, "a line of one space"),
            Row("X: a\r\n b", .foldedLine, "a folded value"),
            Row("X: a\r\n\tb", .foldedLine, "a value folded with a tab"),
            Row("Transfer-Encoding:\r\n chunked", .foldedLine, "a folded transfer coding"),
            Row("Content-Length: 1\r\n 0", .foldedLine, "a folded length"),
        ] as [Row<HTTPProblem.Malformation>])
    func refused(_ row: Row<HTTPProblem.Malformation>) {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + row.bytes + Array("\r\nY: z\r\n\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            #expect(requestProblem(bytes, cuts: cuts) == .malformed(row.expected))
        }
        // The first field line is no exception: Apache once took a folded one for part of the request line.
        let first = Array("GET / HTTP/1.1\r\n".utf8) + row.bytes + Array("\r\nHost: a\r\n\r\n".utf8)
        #expect(requestProblem(first) == .malformed(row.expected))
    }

    @Test(
        "the oddities of field lines that are accepted",
        arguments: [
            Row("X:a", "X: a", "no space after the colon"),
            Row("X:  \t a", "X: a", "blanks before the value"),
            Row("X: a \t ", "X: a", "blanks after the value"),
            Row("X: a \t b", "X: a \t b", "blanks inside the value stay"),
            Row("X:", "X: ", "an empty value"),
            Row("X: \t ", "X: ", "a value of blanks alone"),
            Row("X: a: b", "X: a: b", "a colon in the value"),
            Row("X:: a", "X: : a", "a colon that begins the value"),
            Row("1: a", "1: a", "a name of a digit"),
            Row("!#$%&'*+-.^_`|~: a", "!#$%&'*+-.^_`|~: a", "every kind of token character"),
            Row("X: é", "X: é", "bytes over 0x7F in the value"),
            Row("X: \"a, b\"", "X: \"a, b\"", "a quoted string"),
        ] as [Row<String>])
    func accepted(_ row: Row<String>) throws {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + row.bytes + Array("\r\n\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let read = try #require(try readRequest(bytes, cuts: cuts))
            #expect(read.fields == ["Host: a", row.expected])
            #expect(read.text(read.head.fields[1].line) == row.text + "\r\n")
        }
    }

    // MARK: - Host

    @Test(
        "hosts that are refused",
        arguments: [
            Row("", .missingHost, "no Host"),
            Row("X: y\r\n", .missingHost, "only another field"),
            Row("Host: a\r\nHost: a\r\n", .repeatedHost, "the same Host twice"),
            Row("Host: a\r\nhOST: b\r\n", .repeatedHost, "two Hosts in different spelling"),
            Row("Host:\r\n", .host, "an empty Host"),
            Row("Host: a b\r\n", .host, "a space"),
            Row("Host: a, b\r\n", .host, "a list"),
            Row("Host: a/b\r\n", .host, "a path"),
            Row("Host: a?b\r\n", .host, "a query"),
            Row("Host: a#b\r\n", .host, "a fragment"),
            Row("Host: a\\b\r\n", .host, "a backslash"),
            Row("Host: u@a\r\n", .host, "userinfo"),
            Row("Host: http://a\r\n", .host, "a URL"),
            Row("Host: a:b\r\n", .host, "a port that is no number"),
            Row("Host: a:8080x\r\n", .host, "a port with a letter behind"),
            Row("Host: a:+80\r\n", .host, "a port with a sign"),
            Row("Host: a:123456\r\n", .host, "a port of six digits"),
            Row("Host: a:65536\r\n", .host, "a port over 65535"),
            Row("Host: a:1:2\r\n", .host, "two ports"),
            Row("Host: :80\r\n", .host, "a port alone"),
            Row("Host: ::1\r\n", .host, "an IPv6 address without brackets"),
            Row("Host: []\r\n", .host, "empty brackets"),
            Row("Host: [::1\r\n", .host, "an open bracket"),
            Row("Host: [::1]x\r\n", .host, "something after the bracket"),
            Row("Host: [g::1]\r\n", .host, "a letter that is no hexadecimal digit"),
            Row("Host: [::1%25eth0]\r\n", .host, "a zone"),
            Row("Host: a]\r\n", .host, "a closing bracket alone"),
            Row("Host: a%\r\n", .host, "a percent sign"),
            Row("Host: a%4\r\n", .host, "half an escape"),
            Row("Host: a%zz\r\n", .host, "an escape that is none"),
            Row("Host: a,b\r\n", .host, "a list without a space"),
            Row("Host: a;b\r\n", .host, "a parameter"),
            Row("Host: x%20y\r\n", .host, "an escape"),
            Row("Host: a!b\r\n", .host, "a sign that RFC 3986 allows in a registered name"),
            Row("Host: é\r\n", .host, "a byte over 0x7F"),
            Row("Host: <script>\r\n", .host, "angle brackets"),
            Row("Host: \(String(repeating: "a", count: 513))\r\n", .host, "513 bytes"),
        ] as [Row<HTTPProblem.Malformation>])
    func hostRefused(_ row: Row<HTTPProblem.Malformation>) {
        #expect(requestProblem("GET / HTTP/1.1\r\n\(row.text)\r\n") == .malformed(row.expected))
        #expect(requestProblem("GET / HTTP/1.0\r\n\(row.text)\r\n") == .malformed(row.expected), "HTTP/1.0")
    }

    @Test(
        "hosts that are accepted",
        arguments: [
            "a", "a.example", "A-b_c.example.", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:443", "a:0", "a:65535",
            "a:00080", "a:", "[::ffff:127.0.0.1]:1", String(repeating: "a", count: 512),
        ])
    func hostAccepted(_ host: String) throws {
        let read = try #require(try readRequest("GET / HTTP/1.1\r\nhost:\(host) \r\n\r\n"))
        #expect(read.text(read.head.host) == host)
    }

    // MARK: - What is noted

    @Test("the first Authorization is noted and all are counted")
    func authorization() throws {
        let read = try #require(try readRequest(request("AUTHORIZATION:  Bearer a ", "Authorization: Basic b")))
        #expect(read.text(read.head.authorization) == "Bearer a")
        #expect(read.head.authorizationCount == 2)
        let none = try #require(try readRequest(request("Proxy-Authorization: Bearer a", "X-Authorization: b")))
        #expect(none.head.authorizationCount == 0)
        #expect(none.head.authorization == .none)
    }

    @Test("ids that come more than once are not taken")
    func repeatedIdentifiers() throws {
        let once = try #require(try readRequest(request("x-request-id: a", "Traceparent: b")))
        #expect(once.text(once.head.requestID) == "a")
        #expect(once.text(once.head.traceparent) == "b")
        let twice = try #require(
            try readRequest(request("x-request-id: a", "X-Request-ID: a", "traceparent: b", "traceparent: b")))
        #expect(twice.head.requestID == .none)
        #expect(twice.head.traceparent == .none)
    }

    @Test("a head that is read into a used value keeps nothing of the one before")
    func reuseLeavesNothing() throws {
        var head = RequestHead()
        let rich = Array(
            request(
                "Authorization: Bearer a", "Transfer-Encoding: chunked", "Expect: 100-continue", "X-Request-Id: a",
                "Connection: close, upgrade, x-a", "Upgrade: websocket", "traceparent: b"
            ).utf8)
        let plain = Array("GET / HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
        try head.read(rich.span.bytes, lines: scan(rich).lines, end: rich.count, limits: HeadLimits())
        #expect(head.upgrade && head.expectsContinue && !head.keepAlive && head.framing == .chunked)
        try head.read(plain.span.bytes, lines: scan(plain).lines, end: plain.count, limits: HeadLimits())
        #expect(head.authorizationCount == 0 && head.authorization == .none && head.requestID == .none)
        #expect(head.traceparent == .none && head.framing == .none && head.keepAlive && !head.expectsContinue)
        #expect(!head.upgrade && head.nominated.isEmpty && head.fields.count == 1 && head.method == .get)
    }
}
