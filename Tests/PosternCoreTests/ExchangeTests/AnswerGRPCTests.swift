import Testing

@testable import PosternCore

@Suite struct AnswerGRPCTests {
    private static func text(
        _ refusal: Refusal, as type: GRPCContentType = .grpc, toHead: Bool = false, close: Bool = false,
        crossOrigin: String = ""
    ) -> String {
        String(
            decoding: Answer(realm: "a").bytes(
                for: refusal, requestID: Array("r-1".utf8), toHead: toHead, close: close,
                crossOrigin: Array(crossOrigin.utf8), grpc: type), as: UTF8.self)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    }

    @Test("an answer, byte for byte")
    func wholeAnswer() {
        #expect(
            Self.text(Refusal(.invalidToken, "the token has expired"), as: .webProto) == """
                HTTP/1.1 200 OK\r
                Content-Type: application/grpc-web+proto\r
                Content-Length: 0\r
                grpc-status: 16\r
                grpc-message: the token has expired\r
                Cache-Control: no-store\r
                X-Request-Id: r-1\r
                WWW-Authenticate: Bearer realm="a", error="invalid_token", error_description="the token has expired"\r
                \r

                """)
    }

    @Test("every code has its status in gRPC")
    func table() {
        let expected: [String: Int] = [
            "bad_request": 13, "ambiguous_path": 13, "invalid_request": 13, "missing_token": 16, "invalid_token": 16,
            "insufficient_scope": 7, "access_denied": 7, "route_denied": 7, "route_not_declared": 7,
            "identity_too_large": 7, "method_not_allowed": 12, "request_timeout": 4, "content_too_large": 8,
            "uri_too_long": 2, "expectation_failed": 2, "request_header_fields_too_large": 8, "not_implemented": 12,
            "http_version_not_supported": 2, "issuer_unavailable": 14, "upstream_unavailable": 14,
            "upstream_invalid_response": 14, "overloaded": 14, "draining": 14, "upstream_timeout": 14,
        ]
        #expect(Dictionary(uniqueKeysWithValues: RefusalCode.allCases.map { ($0.rawValue, $0.grpcStatus) }) == expected)
    }

    @Test("every answer is a head without a body that says the request's own type", arguments: RefusalCode.allCases)
    func everyCode(_ code: RefusalCode) throws {
        for type in GRPCContentType.allCases {
            for (close, toHead) in [(false, false), (true, false), (false, true)] {
                let text = Self.text(Refusal(code, "x", allow: ["GET"]), as: type, toHead: toHead, close: close)
                let bytes = Array(text.utf8)
                let read = try #require(try readResponse(bytes))
                #expect(read.head.status == 200)
                #expect(read.head.end == bytes.count)
                #expect(read.head.framing == BodyFraming.none)
                #expect(read.head.keepAlive == !close)
                let lines = Self.lines(text)
                #expect(lines.filter { $0.hasPrefix("Content-Type:") } == ["Content-Type: \(type.rawValue)"])
                #expect(lines.filter { $0.hasPrefix("grpc-status:") } == ["grpc-status: \(code.grpcStatus)"])
                #expect(lines.contains("Cache-Control: no-store") && lines.contains("X-Request-Id: r-1"))
            }
        }
    }

    @Test("the challenge stays where there is one")
    func challenge() {
        let required = Requirement(scopes: ["b", "a"])
        let text = Self.text(Refusal(.insufficientScope, "x", required: required))
        #expect(
            Self.lines(text).contains(#"WWW-Authenticate: Bearer realm="a", error="insufficient_scope", scope="a b""#))
        #expect(!Self.text(Refusal(.routeDenied, "x")).contains("WWW-Authenticate"))
    }

    @Test(
        "the message is percent-encoded, and cannot end its line",
        arguments: [
            ("plain words, \"quoted\"~ {x}.", "plain words, \"quoted\"~ {x}."), ("100%", "100%25"),
            ("a\r\nb: c", "a%0D%0Ab: c"), ("\0\u{7F}\t", "%00%7F%09"), ("é€\u{1F600}", "%C3%A9%E2%82%AC%F0%9F%98%80"),
            ("%41", "%2541"),
        ])
    func message(_ detail: String, _ encoded: String) throws {
        let text = Self.text(Refusal(.badRequest, detail))
        #expect(Self.lines(text).filter { $0.hasPrefix("grpc-message: ") } == ["grpc-message: \(encoded)"])
        let read = try #require(try readResponse(Array(text.utf8)))
        #expect(read.head.fields.count == 6)
    }

    @Test("a page of an allowed origin may read the status; no other is told of it")
    func crossOrigin() {
        let exposed = "Access-Control-Expose-Headers: grpc-status, grpc-message"
        let allowed = "Access-Control-Allow-Origin: https://app.test\r\nVary: Origin\r\n"
        let refusal = Refusal(.missingToken, "x")
        #expect(Self.lines(Self.text(refusal, as: .web, crossOrigin: allowed)).contains(exposed))
        #expect(Self.text(refusal, as: .web, crossOrigin: allowed).contains(allowed))
        #expect(!Self.text(refusal, as: .web, crossOrigin: "Vary: Origin\r\n").contains("Expose"))
        #expect(!Self.text(refusal, as: .web).contains("Expose"))
    }

    // MARK: - Which requests are calls

    private static func facts(_ fields: [String]) throws -> Intake.Facts? {
        var intake = Intake(identifierSeed: (1, 2), cacheSeed: (3, 4))
        let lines = fields.map { $0 + "\r\n" }.joined()
        let head = Array("POST /any HTTP/1.1\r\nHost: a\r\n\(lines)\r\n".utf8)
        let limits = HeadLimits(head: 4096, target: 1024, fields: 50)
        let outcome = intake.take(
            head.span.bytes, resumed: nil, gate: try IntakePolicy.gate(), limits: limits, now: 1)
        guard case .judged(let facts, _, _) = outcome else { return nil }
        return facts
    }

    @Test("a head says whether it is a call, and the next one is not taken for it")
    func intake() throws {
        #expect(try #require(try Self.facts(["Content-Type: application/grpc+proto"])).grpc == .grpcProto)
        #expect(try #require(try Self.facts(["content-type:\tapplication/GRPC-web-text ; x"])).grpc == .webText)
        #expect(try #require(try Self.facts(["Content-Type: application/json"])).grpc == nil)
        #expect(try #require(try Self.facts(["X-Content-Type: application/grpc"])).grpc == nil)
        #expect(try #require(try Self.facts([])).grpc == nil)
        var intake = Intake(identifierSeed: (1, 2), cacheSeed: (3, 4))
        let limits = HeadLimits(head: 4096, target: 1024, fields: 50)
        for (line, type) in [("Content-Type: application/grpc\r\n", GRPCContentType.grpc), ("", nil)] {
            let head = Array("POST /any HTTP/1.1\r\nHost: a\r\n\(line)\r\n".utf8)
            guard
                case .judged(let facts, _, _) = intake.take(
                    head.span.bytes, resumed: nil, gate: try IntakePolicy.gate(), limits: limits, now: 1)
            else {
                Issue.record("not judged")
                return
            }
            #expect(facts.grpc == type)
        }
    }
}
