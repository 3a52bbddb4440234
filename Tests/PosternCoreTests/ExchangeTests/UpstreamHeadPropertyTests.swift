import PosternCore
import Testing

@Suite struct UpstreamHeadPropertyTests {
    private static let requestLines = [
        "GET /x HTTP/1.1", "POST /x?y=z HTTP/1.1", "GET http://a/x HTTP/1.1", "PUT http://a HTTP/1.0", "GET / HTTP/1.0",
    ]

    /// Field lines, each at most once where a second one would be refused.
    private static let fields = [
        "X-User-Id: admin", "x_user_id: admin", "X-USER-ROLES: root", "X-User-Evil: 1", "X-Client-Trusted: true",
        "X_Client_Id: evil", "X-Auth-Issuer: evil", "x-auth_evil: 1", "Authorization: Bearer abc",
        "authorization: Basic x",
        "Connection: x-user-id, x-auth-issuer", "Connection: x-forwarded-for", "Connection: x-a", "Connection: close",
        "Connection: keep-alive", "Connection: authorization, cookie", "Connection: traceparent, x-request-id",
        "Connection: X_User_Id", "Connection: upgrade", "Upgrade: h2c", "HTTP2-Settings: AA", "TE: trailers",
        "Keep-Alive: timeout=5", "Proxy-Connection: close", "Proxy-Authorization: Basic x", "Forwarded: for=evil",
        "X-Forwarded-For: evil", "x_forwarded_for: evil", "X-Forwarded-Proto: evil", "X-Forwarded-Host: evil",
        "X-Forwarded-Q: evil", "X-Request-Id: kept-1", "x-request-id: not kept", "traceparent: evil",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate: a=b", "X-A: 1", "x-a: 2",
        "Accept: */*", "Cookie: a=b", "X-Empty:", "X-Blank: \t x \t", "X-High: \u{E9}", "Trailer: X-A",
        "Content-Type: a/b",
    ]

    private static let framings = [
        "", "Content-Length: 0\r\n", "Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n",
        "Content-Length: 7\r\nExpect: 100-continue\r\n", "transfer-encoding:Chunked\r\nEXPECT: 100-Continue\r\n",
    ]

    private static let neverUpstream: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "proxy-authorization",
        "expect",
        "forwarded", "authorization",
    ]

    private static func randomHead(_ numbers: inout SeededNumbers) -> String {
        let line = numbers.pick(Self.requestLines)
        var lines = (0..<Int.random(in: 0..<10, using: &numbers)).map { _ in numbers.pick(Self.fields) + "\r\n" }
        lines.insert("Host: a\r\n", at: Int.random(in: 0...lines.count, using: &numbers))
        let framing = numbers.pick(Self.framings)
        if !line.hasSuffix("1.0") || !framing.lowercased().contains("chunked") {
            lines.insert(framing, at: Int.random(in: 0...lines.count, using: &numbers))
        }
        return line + "\r\n" + lines.joined() + "\r\n"
    }

    private static func fold(_ name: String) -> String { name.lowercased().replacing("_", with: "-") }

    /// Name and value of each field of a head, names as they are spelled.
    private static func fields(_ read: ReadRequest) -> [(name: String, value: String)] {
        read.head.fields.map { (read.text($0.name), read.text($0.value)) }
    }

    @Test(
        "8,000 composed heads are accepted by the same strict parser and hold exactly what they should",
        arguments: 0..<4)
    func composedHeadsHold(_ seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(300 + seed))
        var composition = Composition()
        var spoofs = 0
        for round in 0..<2_000 {
            let head = Self.randomHead(&numbers)
            composition.principal = round % 4 == 0 ? nil : Composition().principal
            composition.forwardToken = round % 3 == 0
            let original = try #require(try readRequest(head))
            let result = try composition.compose(head)
            if result.spoofed { spoofs += 1 }
            guard let read = try? readRequest(result.text) else {
                Issue.record("\(head.debugDescription) became \(result.text.debugDescription), which is not accepted")
                return
            }
            #expect(read.head.end == result.text.utf8.count)
            let isGood = Self.check(original, read, result, composition)
            guard isGood else {
                Issue.record("\(head.debugDescription) became \(result.text.debugDescription)")
                return
            }
        }
        #expect(spoofs > 500)
    }

    /// Every property that holds for each composed head.
    private static func check(
        _ original: ReadRequest, _ read: ReadRequest, _ result: Composition.Result, _ composition: Composition
    ) -> Bool {
        let fields = Self.fields(read)
        func values(_ name: String) -> [String] { fields.filter { Self.fold($0.name) == name }.map(\.value) }
        // Framing and routing are the client's own.
        guard read.head.framing == original.head.framing, read.head.minorVersion == 1,
            read.text(read.head.host) == "a",
            read.text(read.head.methodToken) == original.text(original.head.methodToken),
            read.text(read.head.target).hasPrefix("/"),
            values("transfer-encoding").count + values("content-length").count < 2
        else { return false }
        // Exactly one of each that is inserted, with the proxy's value.
        guard values("x-forwarded-for") == ["10.0.0.7"], values("x-forwarded-proto") == ["http"],
            values("x-forwarded-host") == ["a"], values("x-request-id") == [result.requestID],
            values("traceparent").count == 1, values("traceparent")[0].contains(result.traceID),
            values("tracestate").isEmpty || values("traceparent")[0].hasSuffix("b7ad6b7169203331-01")
        else { return false }
        // Identity is the caller's, or none at all.
        let isCaller = composition.principal != nil
        guard values("x-user-id") == (isCaller ? ["u-1"] : []),
            values("x-auth-issuer") == (isCaller ? ["permiso"] : []),
            values("x-user-scopes") == (isCaller ? ["trade:read trade:open"] : [])
        else { return false }
        let inserted: Set<String> = [
            "x-user-id", "x-user-scopes", "x-auth-issuer", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
        ]
        for field in fields {
            let name = Self.fold(field.name)
            let speaksOfIdentity = ["x-user-", "x-auth-", "x-client-", "x-forwarded-"].contains { name.hasPrefix($0) }
            guard !speaksOfIdentity || inserted.contains(name), !field.value.contains("evil") else { return false }
            if Self.neverUpstream.contains(name), name != "authorization" || !composition.forwardToken { return false }
        }
        return Self.keepsOrder(original, fields)
            && result.spoofed
                == Self.fields(original).contains { field in
                    let name = Self.fold(field.name)
                    return name.hasPrefix("x-user-") || name.hasPrefix("x-auth-") || name.hasPrefix("x-client-")
                }
    }

    /// Whether ordinary fields are those of the client that Connection does not name, in their order.
    private static func keepsOrder(_ original: ReadRequest, _ fields: [(name: String, value: String)]) -> Bool {
        let ordinary: Set<String> = [
            "x-a", "accept", "cookie", "x-empty", "x-blank", "x-high", "trailer", "content-type", "content-length",
            "host",
        ]
        let named = Self.fields(original).filter { $0.name.lowercased() == "connection" }.flatMap {
            $0.value.lowercased().replacing(" ", with: "").split(separator: ",").map(String.init)
        }
        let expected = Self.fields(original).filter {
            ordinary.contains($0.name.lowercased()) && !named.contains($0.name.lowercased())
        }
        let kept = fields.filter { ordinary.contains($0.name.lowercased()) }
        return expected.map { "\($0.name):\($0.value)" } == kept.map { "\($0.name):\($0.value)" }
    }
}
