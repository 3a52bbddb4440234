import PosternCore
import Testing

/// What the default composition inserts after the kept lines.
private let identity = "X-User-Id: u-1\r\nX-User-Scopes: trade:read trade:open\r\nX-Auth-Issuer: permiso\r\n"
private let forwarded = "X-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n"
private let ids = keptIDs.map { $0 + "\r\n" }.joined()

@Suite struct UpstreamHeadTests {
    /// The head that goes up when `kept` are the client's lines that stay, ids among them.
    private static func expected(_ kept: String, line: String = "GET /x HTTP/1.1", framing: String = "") -> String {
        "\(line)\r\nHost: a\r\n\(ids)\(kept)\(identity)\(forwarded)\(framing)\r\n"
    }

    private static func head(_ lines: [String], line: String = "GET /x HTTP/1.1") -> String {
        "\(line)\r\nHost: a\r\n\(ids)" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    // MARK: - What stays

    @Test("lines that stay keep their order, spelling and blanks")
    func keptLines() throws {
        let lines = ["aCCept:*/*", "X-B:  2 \t", "Cookie: a=b", "X-B: 1", "User-Agent: é", "x_c:", "Max-Forwards: 3"]
        let result = try Composition().compose(Self.head(lines))
        #expect(result.text == Self.expected(lines.map { $0 + "\r\n" }.joined()))
        #expect(!result.spoofed)
    }

    @Test("Host is passed on where and as it stood")
    func hostStays() throws {
        let result = try Composition().compose("GET /x HTTP/1.1\r\nX-A: 1\r\nhOST:  a.Example:80 \r\n\(ids)\r\n")
        #expect(
            result.text == "GET /x HTTP/1.1\r\nX-A: 1\r\nhOST:  a.Example:80 \r\n\(ids)\(identity)"
                + "X-Forwarded-For: 10.0.0.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.Example:80\r\n\r\n")
    }

    @Test("an empty line before the request is not passed on")
    func leadingEmptyLine() throws {
        let result = try Composition().compose("\r\n" + Self.head(["X-A: 1"]))
        #expect(result.text == Self.expected("X-A: 1\r\n"))
    }

    // MARK: - What is removed

    @Test(
        "lines that never go on, first, between others and last",
        arguments: [
            "Connection: keep-alive", "Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive",
            "TE: trailers", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Proxy-Authorization: Basic abc",
            "Authorization: Bearer abc", "AUTHORIZATION:Basic abc", "Forwarded: for=1.2.3.4",
            "X-Forwarded-For: 1.2.3.4",
            "X-Forwarded-Proto: https", "x-forwarded-host: evil", "X-Forwarded-Port: 1", "X_Forwarded_For: 1.2.3.4",
            "X-Forwarded-Prefix: /admin", "X-Forwarded-A: 1", "Expect: 100-continue",
        ])
    func removed(_ line: String) throws {
        for lines in [
            [line, "X-A: 1", "X-B: 2"], ["X-A: 1", line, "X-B: 2"], ["X-A: 1", "X-B: 2", line],
            [line, "X-A: 1", line.replacing("Expect", with: "X-Forwarded-X"), "X-B: 2"],
        ] {
            let result = try Composition().compose(Self.head(lines))
            #expect(result.text == Self.expected("X-A: 1\r\nX-B: 2\r\n"))
            #expect(!result.spoofed)
        }
    }

    @Test(
        "identity in any spelling is removed and reported",
        arguments: [
            "X-User-Id: admin", "x-user-id: admin", "X_User_Id: admin", "X-USER_ID:admin", "X-User-Name: a",
            "X-User-Anything-At-All: a", "x_user_: a", "X-Client-Id: a", "x_client_id: a", "X-Client-Trusted: true",
            "X_CLIENT_TRUSTED: true", "X-Auth-Issuer: a", "X-Auth-Request-User: a", "x_auth_token: a",
        ])
    func identityRemoved(_ line: String) throws {
        let result = try Composition().compose(Self.head(["X-A: 1", line, "X-B: 2", line]))
        #expect(result.text == Self.expected("X-A: 1\r\nX-B: 2\r\n"))
        #expect(result.spoofed)
    }

    @Test("identity is removed for anonymous callers, too, and nothing put in its place")
    func anonymous() throws {
        var composition = Composition()
        composition.principal = nil
        let result = try composition.compose(Self.head(["X-User-Id: admin", "X-A: 1"]))
        #expect(result.text == "GET /x HTTP/1.1\r\nHost: a\r\n\(ids)X-A: 1\r\n\(forwarded)\r\n")
        #expect(result.spoofed)
    }

    @Test("configured identity names are removed, default ones all the same")
    func configuredIdentity() throws {
        var composition = Composition()
        composition.identityHeaders = [
            IdentityHeader(name: "Remote-User", source: .user), IdentityHeader(name: "Content-Type", source: .issuer),
        ]
        let result = try composition.compose(
            Self.head(["remote_user: admin", "X-User-Id: admin", "X-Client-Id: c", "Content-Type: x", "X-A: 1"]))
        #expect(
            result.text == "GET /x HTTP/1.1\r\nHost: a\r\n\(ids)X-A: 1\r\nRemote-User: u-1\r\nContent-Type: permiso\r\n"
                + "\(forwarded)\r\n")
        #expect(result.spoofed)
    }

    @Test(
        "names that are no identity stay",
        arguments: ["X-Users: a", "X-Userid: a", "User-Id: a", "X-Client: a", "X-Client-Ids: a", "X-Authorization: a"])
    func otherNamesStay(_ line: String) throws {
        let result = try Composition().compose(Self.head([line]))
        #expect(result.text == Self.expected(line + "\r\n"))
        #expect(!result.spoofed)
    }

    // MARK: - Connection

    @Test("fields that Connection names are removed in any case and list form")
    func nominatedFields() throws {
        let result = try Composition().compose(
            Self.head([
                "X-A: 1", "Connection: x-b ,,X-C", "X-B: 2", "x-c: 3", "X-BC: 4", "connection:x-d", "X-D: 5", "X-B: 6",
            ]))
        #expect(result.text == Self.expected("X-A: 1\r\nX-BC: 4\r\n"))
        #expect(!result.spoofed)
    }

    @Test(
        "a client cannot have an inserted line removed by naming it",
        arguments: [
            "X-User-Id, X-User-Scopes, X-Auth-Issuer", "x-user-id", "X_User_Id", "X-Forwarded-For, X-Forwarded-Proto",
            "X-Forwarded-Host", "close, x-auth-issuer",
        ])
    func nominatedIdentity(_ names: String) throws {
        let result = try Composition().compose(Self.head(["Connection: \(names)", "X-User-Id: admin", "X-A: 1"]))
        #expect(result.text == Self.expected("X-A: 1\r\n"))
        #expect(result.spoofed)
    }

    @Test("ids that Connection names are made anew, not lost")
    func nominatedIdentifiers() throws {
        let result = try Composition().compose(Self.head(["Connection: x-request-id, traceparent", "X-A: 1"]))
        let names = result.lines.map { $0.split(separator: ":").first.map { $0.lowercased() } ?? "" }
        #expect(names.filter { $0 == "x-request-id" }.count == 1)
        #expect(names.filter { $0 == "traceparent" }.count == 1)
    }

    @Test("an upgrade to h2c is dropped with its settings and the request goes on without")
    func h2cUpgrade() throws {
        let result = try Composition().compose(
            Self.head(["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA", "X-A: 1"]))
        #expect(result.text == Self.expected("X-A: 1\r\n"))
    }

    // MARK: - Authorization

    @Test("the credential goes on only where the route says so, and as it came")
    func forwardedToken() throws {
        var composition = Composition()
        composition.forwardToken = true
        let kept = try composition.compose(
            Self.head(["authorization:  Bearer abc ", "Proxy-Authorization: x", "X-A: 1"]))
        #expect(kept.text == Self.expected("authorization:  Bearer abc \r\nX-A: 1\r\n"))
    }

    // MARK: - Framing

    @Test("a length is passed on as it came, a chunked body gets a framing line of its own")
    func framing() throws {
        let length = try Composition().compose(Self.head(["content-length: 5"], line: "POST /x HTTP/1.1"))
        #expect(length.text == Self.expected("content-length: 5\r\n", line: "POST /x HTTP/1.1"))
        let empty = try Composition().compose(Self.head(["Content-Length: 0"], line: "POST /x HTTP/1.1"))
        #expect(empty.text == Self.expected("Content-Length: 0\r\n", line: "POST /x HTTP/1.1"))
        let chunked = try Composition().compose(
            Self.head(["transfer-encoding:CHUNKED", "Trailer: X"], line: "POST /x HTTP/1.1"))
        #expect(
            chunked.text
                == Self.expected("Trailer: X\r\n", line: "POST /x HTTP/1.1", framing: "Transfer-Encoding: chunked\r\n"))
    }

    // MARK: - Request line

    @Test(
        "request lines that are written anew",
        arguments: [
            Row("GET http://a/x?y=/z HTTP/1.1", "GET /x?y=/z HTTP/1.1", "absolute-form"),
            Row("GET http://a HTTP/1.1", "GET / HTTP/1.1", "absolute-form without a path"),
            Row("GET http://a?y HTTP/1.1", "GET /?y HTTP/1.1", "absolute-form without a path, with a query"),
            Row("GET http://a/? HTTP/1.1", "GET /? HTTP/1.1", "an empty query stays one"),
            Row("GET HTTPS://a/%41 HTTP/1.1", "GET /%41 HTTP/1.1", "escapes stay as they are"),
            Row("POST /x?y HTTP/1.0", "POST /x?y HTTP/1.1", "HTTP/1.0"),
            Row("PROPFIND http://a/x HTTP/1.0", "PROPFIND /x HTTP/1.1", "both"),
            Row("GET /x?http://b/ HTTP/1.1", "GET /x?http://b/ HTTP/1.1", "origin-form stays"),
        ] as [Row<String>])
    func requestLine(_ row: Row<String>) throws {
        let result = try Composition().compose(Self.head(["X-A: 1"], line: row.text))
        #expect(result.text == Self.expected("X-A: 1\r\n", line: row.expected))
    }

    // MARK: - Client facts

    @Test("a unix socket has no client address, https is said")
    func clientFacts() throws {
        var composition = Composition()
        composition.address = ""
        composition.scheme = "https"
        let result = try composition.compose(Self.head([]))
        #expect(
            result.text.hasSuffix("X-Auth-Issuer: permiso\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a\r\n\r\n"))
        #expect(!result.text.contains("X-Forwarded-For"))
    }
}
