import PosternCore
import Testing

/// Preflights that the proxy answers.
@Suite struct PreflightAnswerTests {
    private static let rules = CrossOriginRules(origins: [CorsPolicy.origin, "http://localhost:3000"])
    private static let vary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

    private static func methods(_ answer: (words: String, fields: [String], route: Int)) -> [String] {
        let name = "Access-Control-Allow-Methods: "
        return answer.fields.filter { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
    }

    @Test("an answer for an allowed origin, line by line")
    func wholeAnswer() throws {
        let gate = try CorsPolicy.gate(Self.rules)
        let text = CorsPolicy.preflight("/any", "PUT", headers: "authorization,content-type")
        let answer = try CorsPolicy.admit(text, gate)
        #expect(answer.words == "answer")
        #expect(answer.route == 1)
        #expect(
            answer.fields == [
                "Access-Control-Allow-Origin: https://app.example",
                "Access-Control-Allow-Methods: DELETE, GET, HEAD, PUT",
                "Access-Control-Allow-Headers: authorization,content-type", "Access-Control-Max-Age: 600", Self.vary,
            ])
    }

    @Test("what is configured stands in place of what is declared and asked for")
    func configuredAnswer() throws {
        let rules = CrossOriginRules(
            origins: [CorsPolicy.origin], methods: ["GET", "PURGE"], headers: ["Authorization", "X-A"], maxAge: 5,
            credentials: true)
        let answer = try CorsPolicy.admit(
            CorsPolicy.preflight("/any", "PUT", headers: "x-b"), CorsPolicy.gate(rules))
        #expect(
            answer.fields == [
                "Access-Control-Allow-Origin: https://app.example", "Access-Control-Allow-Credentials: true",
                "Access-Control-Allow-Methods: GET, PURGE", "Access-Control-Allow-Headers: Authorization, X-A",
                "Access-Control-Max-Age: 5", Self.vary,
            ])
    }

    @Test("every origin, where * allows them; two are none")
    func anyOrigin() throws {
        let gate = try CorsPolicy.gate(CrossOriginRules(origins: ["*"]))
        for origin in ["https://x", "null", "nonsense"] {
            let answer = try CorsPolicy.admit(CorsPolicy.preflight("/public", "GET", origin: origin), gate)
            #expect(answer.fields.first == "Access-Control-Allow-Origin: *")
        }
    }

    @Test(
        "an origin that is not exactly an allowed one gets nothing, on any path",
        arguments: [
            "https://app.example.", "https://app.example:443", "http://app.example", "https://APP.example",
            "https://app.example/", "https://a.app.example", "https://app.exampl", "null", "*", "http://localhost",
            "http://localhost:30000", "https://app.example https://app.example",
        ])
    func otherOrigins(origin: String) throws {
        let gate = try CorsPolicy.gate(Self.rules)
        for path in ["/any", "/shut", "/nowhere", "/deep/x"] {
            let answer = try CorsPolicy.admit(CorsPolicy.preflight(path, "GET", origin: origin), gate)
            #expect(answer.words == "silence")
            #expect(answer.fields == [Self.vary])
        }
    }

    @Test("null is an origin where it is written")
    func nullOrigin() throws {
        let gate = try CorsPolicy.gate(CrossOriginRules(origins: ["null"]))
        let answer = try CorsPolicy.admit(CorsPolicy.preflight("/any", "GET", origin: "null"), gate)
        #expect(answer.fields.first == "Access-Control-Allow-Origin: null")
    }

    @Test(
        "methods are those of the path; where nothing is declared, the one that is asked for",
        arguments: [
            ("/public", "PUT", ["GET, HEAD"], "another method: the browser sees that it is not among them"),
            ("/any", "get", ["DELETE, GET, HEAD, PUT"], "methods are case-sensitive"),
            (
                "/all", "PURGE", ["DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, PURGE"],
                "ANY takes a method of no standard, too; no page can send TRACE or CONNECT"
            ),
            ("/cache", "PURGE", ["PURGE"], "a method of no standard"),
            ("/shut", "GET", ["GET, HEAD, OPTIONS"], "a deny is said to the request itself"),
            ("/nowhere", "PATCH", ["PATCH"], "so is that nothing is declared"),
            ("/nowhere", "TRACE", [], "a method that no page can send"),
        ])
    func declaredMethods(row: (String, String, [String], String)) throws {
        let answer = try CorsPolicy.admit(CorsPolicy.preflight(row.0, row.1), CorsPolicy.gate(Self.rules))
        #expect(answer.words == "answer")
        #expect(Self.methods(answer) == row.2, "\(row.3)")
    }

    @Test("header names that are no list of tokens are not repeated")
    func malformedNames() throws {
        let text = CorsPolicy.preflight("/any", "GET", headers: "x-a, \"b\"")
        let answer = try CorsPolicy.admit(text, CorsPolicy.gate(Self.rules))
        #expect(!answer.fields.contains { $0.hasPrefix("Access-Control-Allow-Headers") })
    }

    @Test("a path that is refused is refused, whoever asks")
    func pathIsChecked() throws {
        let gate = try CorsPolicy.gate(Self.rules)
        #expect(try CorsPolicy.admit(CorsPolicy.preflight("/any%2f", "GET"), gate).words == "ambiguous_path")
    }

    @Test("the whole answer is a 204 without a length", arguments: [true, false])
    func bytes(close: Bool) {
        let text = String(
            decoding: PreflightAnswer.silent.bytes(requestID: Array("r-1".utf8), close: close), as: UTF8.self)
        #expect(
            text
                == "HTTP/1.1 204 No Content\r\n\(Self.vary)\r\nCache-Control: no-store\r\nX-Request-Id: r-1\r\n"
                + (close ? "Connection: close\r\n\r\n" : "\r\n"))
    }

    @Test("the answer of Intake is the gate's")
    func intake() throws {
        var desk = IntakeDesk()
        let gate = try CorsPolicy.gate(Self.rules)
        let judged = desk.take(Array(CorsPolicy.preflight("/any", "GET").utf8), gate: gate)
        #expect(judged.words == "answer")
        #expect(judged.facts.origin == 0)
        let other = desk.take(Array(CorsPolicy.preflight("/any", "GET", origin: "https://x").utf8), gate: gate)
        #expect(other.words == "silence")
        #expect(other.facts.origin == CrossOrigin.noOrigin)
    }

    @Test("a forwarded preflight has neither token nor identity, though the route forwards tokens")
    func forwardedHead() throws {
        var desk = IntakeDesk()
        let fields = [
            "Origin: https://x", "Access-Control-Request-Method: GET", "Authorization: Bearer a", "X-User-Id: root",
        ]
        let judged = desk.take(Array(CorsPolicy.head("OPTIONS /any", fields).utf8), gate: try CorsPolicy.gate())
        let text = String(decoding: judged.upstream, as: UTF8.self)
        #expect(text.hasPrefix("OPTIONS /any HTTP/1.1\r\nHost: a\r\nOrigin: https://x\r\n"))
        #expect(!text.contains("Authorization") && !text.contains("X-User-Id"))
        #expect(judged.spoofed)
    }
}
