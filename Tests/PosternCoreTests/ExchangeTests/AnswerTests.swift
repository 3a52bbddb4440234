import PosternCore
import Testing

@Suite struct AnswerTests {
    private static func text(
        _ refusal: Refusal, realm: String = "mt5-api", id: String = "r-1", toHead: Bool = false, close: Bool = false
    ) -> String {
        String(
            decoding: Answer(realm: realm).bytes(
                for: refusal, requestID: Array(id.utf8), toHead: toHead, close: close), as: UTF8.self)
    }

    private static func field(_ name: String, in text: String) -> [String] {
        text.split(separator: "\r\n\r\n", maxSplits: 1)[0].split(separator: "\r\n").filter { $0.hasPrefix(name + ": ") }
            .map { String($0.dropFirst(name.count + 2)) }
    }

    @Test("an answer, byte for byte")
    func wholeAnswer() {
        let body =
            #"{"type":"urn:postern:problem:invalid_token","title":"Invalid token","status":401,"#
            + #""detail":"the token has expired","code":"invalid_token","request_id":"r-1"}"#
        #expect(
            Self.text(Refusal(.invalidToken, "the token has expired")) == """
                HTTP/1.1 401 Unauthorized\r
                Content-Type: application/problem+json\r
                Content-Length: \(body.utf8.count)\r
                Cache-Control: no-store\r
                X-Request-Id: r-1\r
                WWW-Authenticate: Bearer realm="mt5-api", error="invalid_token", error_description="the token has expired"\r
                \r
                \(body)
                """)
    }

    @Test("every code makes a well-formed answer with its members", arguments: RefusalCode.allCases)
    func everyCode(_ code: RefusalCode) throws {
        for close in [false, true] {
            let text = Self.text(Refusal(code, "Do \"this\".", allow: ["GET", "HEAD"]), close: close)
            let bytes = Array(text.utf8)
            let read = try #require(try readResponse(bytes))
            #expect(read.head.status == code.status)
            #expect(read.head.keepAlive == !close)
            #expect(read.head.framing == .length(Int64(bytes.count - read.head.end)))
            #expect(Self.field("Cache-Control", in: text) == ["no-store"])
            #expect(Self.field("Content-Type", in: text) == ["application/problem+json"])
            #expect(Self.field("X-Request-Id", in: text) == ["r-1"])
            #expect(Self.field("Retry-After", in: text).isEmpty == (code.status != 503))
            #expect(Self.field("Allow", in: text) == (code.status == 405 ? ["GET, HEAD"] : []))
            #expect(Self.field("WWW-Authenticate", in: text).count == (Self.challenged.contains(code) ? 1 : 0))
            let body = try JSONReader.parse(bytes.span.bytes.extracting(read.head.end..<bytes.count))
            guard case .object(let members) = body else {
                Issue.record("no object")
                continue
            }
            #expect(members.map(\.name) == ["type", "title", "status", "detail", "code", "request_id"])
            #expect(members[0].value == .string("urn:postern:problem:\(code.rawValue)"))
            #expect(members[1].value == .string(code.title) && !code.title.isEmpty)
            #expect(members[3].value == .string("Do \"this\"."))
            #expect(members[4].value == .string(code.rawValue))
            #expect(members[5].value == .string("r-1"))
        }
    }

    private static let challenged: Set<RefusalCode> = [
        .invalidRequest, .missingToken, .invalidToken, .insufficientScope,
    ]

    @Test("the answer to HEAD is the same head and no body", arguments: RefusalCode.allCases)
    func toHead(_ code: RefusalCode) throws {
        let refusal = Refusal(code, "x", allow: ["GET"])
        let whole = Self.text(refusal)
        let head = Self.text(refusal, toHead: true)
        #expect(head.hasSuffix("\r\n\r\n"))
        #expect(whole.hasPrefix(head))
        #expect(Self.field("Content-Length", in: head) == ["\(whole.utf8.count - head.utf8.count)"])
    }

    @Test("statuses and codes are those of the table in 3-behaviour")
    func table() {
        let expected: [String: Int] = [
            "bad_request": 400, "ambiguous_path": 400, "invalid_request": 400, "missing_token": 401,
            "invalid_token": 401,
            "insufficient_scope": 403, "access_denied": 403, "route_denied": 403, "route_not_declared": 403,
            "identity_too_large": 403, "method_not_allowed": 405, "request_timeout": 408, "content_too_large": 413,
            "uri_too_long": 414, "expectation_failed": 417, "request_header_fields_too_large": 431,
            "not_implemented": 501, "http_version_not_supported": 505, "issuer_unavailable": 502,
            "upstream_unavailable": 502, "upstream_invalid_response": 502, "overloaded": 503, "draining": 503,
            "upstream_timeout": 504,
        ]
        #expect(Dictionary(uniqueKeysWithValues: RefusalCode.allCases.map { ($0.rawValue, $0.status) }) == expected)
        #expect(RefusalCode.issuerUnavailable.title == "Authentication service unavailable")
    }

    @Test("what malformed or unfinished requests get closes the connection, what policy refuses does not")
    func closing() {
        let open: Set<RefusalCode> = [
            .ambiguousPath, .invalidRequest, .missingToken, .invalidToken, .insufficientScope, .accessDenied,
            .routeDenied,
            .routeNotDeclared, .identityTooLarge, .methodNotAllowed, .issuerUnavailable, .upstreamUnavailable,
            .upstreamInvalidResponse, .overloaded, .upstreamTimeout,
        ]
        for code in RefusalCode.allCases { #expect(code.closesConnection == !open.contains(code), "\(code)") }
    }

    // MARK: - Challenges (RFC 6750 section 3)

    @Test(
        "challenges",
        arguments: [
            (Refusal(.missingToken, "x"), #"Bearer realm="a""#),
            (Refusal(.invalidRequest, "x"), #"Bearer realm="a", error="invalid_request", error_description="x""#),
            (Refusal(.invalidToken, "x"), #"Bearer realm="a", error="invalid_token", error_description="x""#),
            (
                Refusal(.insufficientScope, "x", required: Requirement(scopes: ["b", "a"], anyScope: ["c"])),
                #"Bearer realm="a", error="insufficient_scope", scope="a b c""#
            ),
            (
                Refusal(.insufficientScope, "x", required: Requirement(scopes: ["b", "a"], anyScope: ["a"])),
                #"Bearer realm="a", error="insufficient_scope", scope="a b""#
            ),
        ] as [(Refusal, String)])
    func challenge(_ refusal: Refusal, _ expected: String) {
        #expect(Self.field("WWW-Authenticate", in: Self.text(refusal, realm: "a")) == [expected])
    }

    @Test("nothing in a realm, a description or a scope can end its quotes or its line")
    func quoting() throws {
        let evil = "a\"b\\c\r\nX: y\0é\u{7F}"
        let harmless = "a'b'c''X: y'''" + "'"
        let token = Self.text(Refusal(.invalidToken, evil), realm: evil)
        #expect(
            Self.field("WWW-Authenticate", in: token) == [
                "Bearer realm=\"\(harmless)\", error=\"invalid_token\", error_description=\"\(harmless)\""
            ])
        let scope = Self.text(Refusal(.insufficientScope, "x", required: Requirement(scopes: [evil])), realm: "a")
        #expect(
            Self.field("WWW-Authenticate", in: scope) == [
                "Bearer realm=\"a\", error=\"insufficient_scope\", scope=\"\(harmless)\""
            ])
        for text in [token, scope] {
            let bytes = Array(text.utf8)
            let read = try #require(try readResponse(bytes))
            #expect(read.head.fields.count == 5)
            #expect(read.head.framing == .length(Int64(bytes.count - read.head.end)))
        }
    }

    @Test("the body escapes what JSON does not hold")
    func bodyEscapes() throws {
        let detail = "a\"b\\c\r\n\0é\u{2028}\u{1F600}"
        let bytes = Array(Self.text(Refusal(.badRequest, detail)).utf8)
        let read = try #require(try readResponse(bytes))
        let body = try JSONReader.parse(bytes.span.bytes.extracting(read.head.end..<bytes.count))
        guard case .object(let members) = body else {
            Issue.record("no object")
            return
        }
        #expect(members[3].value == .string(detail))
    }

    @Test("a 403 names what the route needs, sorted, and only what it has")
    func required() {
        let claim = ClaimRule(name: "is_trusted", selector: .name("is_trusted"), expectation: .oneOf([.bool(true)]))
        let all = Requirement(scopes: ["b", "a"], anyScope: ["d", "c"], roles: ["f", "e"], claims: [claim])
        #expect(
            Self.text(Refusal(.insufficientScope, "x", required: all)).hasSuffix(
                #","required":{"scopes":["a","b"],"any_scope":["c","d"],"roles":["e","f"],"claims":["is_trusted"]}}"#))
        #expect(
            Self.text(Refusal(.accessDenied, "x", required: Requirement(roles: ["r"]))).hasSuffix(
                #","required":{"roles":["r"]}}"#))
        // What the claim must be is not told.
        #expect(!Self.text(Refusal(.accessDenied, "x", required: all)).contains("true"))
    }

    // MARK: - Problems to refusals

    @Test(
        "each HTTP problem has its code",
        arguments: [
            (.malformed(.contentLength), .badRequest), (.targetTooLong, .uriTooLong),
            (.headTooLarge, .requestHeaderFieldsTooLarge), (.unknownTransferCoding, .notImplemented),
            (.methodNotImplemented, .notImplemented), (.versionNotSupported, .httpVersionNotSupported),
            (.expectationFailed, .expectationFailed),
        ] as [(HTTPProblem, RefusalCode)])
    func httpProblems(_ problem: HTTPProblem, _ code: RefusalCode) {
        #expect(Refusal(problem).code == code)
        #expect(Refusal(problem).detail.hasSuffix("."))
    }

    @Test("each target problem has its code")
    func targetProblems() {
        #expect(Refusal(TargetProblem.malformed).code == .badRequest)
        #expect(Refusal(TargetProblem.asterisk).code == .badRequest)
        for ambiguity in Ambiguity.allCases {
            #expect(Refusal(TargetProblem.ambiguous(ambiguity)) == Refusal(.ambiguousPath, ambiguity.detail))
        }
    }
}
