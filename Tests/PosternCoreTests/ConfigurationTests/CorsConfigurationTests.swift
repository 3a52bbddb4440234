import Testing

@testable import PosternCore

/// `cors` as a whole: what values mean together.
@Suite struct CorsConfigurationTests {
    private static func cors(_ text: String) throws -> Configuration.Cors {
        try World.configuration("{upstream: unix:/s, cors: \(text)}").cors
    }

    /// Problems of `cors`, with columns; the document has an issuer, and routes.
    private static func problems(_ text: String) -> [String] {
        World.problems(
            "{cors: \(text), upstream: unix:/s, routes: {GET /: optional}, issuers: {i: {issuer: x, "
                + "audiences: [a], keys: {file: jwk.json}}}}")
    }

    @Test(arguments: [
        ("{}", Configuration.Cors.Preflight.deny), ("{preflight: deny}", .deny), ("{preflight: forward}", .forward),
    ])
    func withoutOriginsTheProxyDoesNotAnswer(row: (String, Configuration.Cors.Preflight)) throws {
        let cors = try Self.cors(row.0)
        #expect(cors.preflight == row.1)
        #expect(cors.rules == nil)
    }

    @Test(arguments: [
        "{origins: [\"https://a\"]}", "{preflight: answer, origins: [\"https://a\"]}", "{origins: \"https://a\"}",
        "{preflight: answer, origins: [\"HTTPS://A:443\"], methods: [], headers: [], expose: [], max_age: 10m, credentials: false}",
    ])
    func originsAreTheShortForm(text: String) throws {
        #expect(try Self.cors(text).rules == CrossOriginRules(origins: ["https://a"]))
    }

    @Test func everyKeyIsRead() throws {
        let rules = try Self.cors(
            "{origins: [\"http://localhost:3000\", \"http://[::1]:80\", \"null\"], methods: PUT, headers: [Authorization], "
                + "expose: [X-A], max_age: 2m, credentials: true}"
        ).rules
        #expect(
            rules
                == CrossOriginRules(
                    origins: ["http://localhost:3000", "http://[::1]", "null"], methods: ["PUT"],
                    headers: ["Authorization"], expose: ["X-A"], maxAge: 120, credentials: true))
    }

    @Test(
        arguments: [
            (
                "{preflight: forward, origins: [\"https://a\"], credentials: false}",
                [
                    "38: error: cors.origins: has a meaning only with preflight: answer: write that, or remove this key",
                    "66: error: cors.credentials: has a meaning only with preflight: answer: write that, or remove this key",
                ]
            ),
            (
                "{preflight: deny, max_age: 1s}",
                ["35: error: cors.max_age: has a meaning only with preflight: answer: write that, or remove this key"]
            ),
            (
                "{preflight: answer}",
                ["20: error: cors.preflight: needs cors.origins: the origins whose pages may call"]
            ),
            (
                "{methods: [GET]}",
                ["18: error: cors.methods: needs cors.origins: the origins whose pages may call"]
            ),
            (
                "{origins: \"*\", credentials: true}",
                [
                    "18: error: cors.origins: cannot be * with credentials: browsers refuse that (Fetch); name the origins, or remove credentials"
                ]
            ),
            (
                "{origins: \"https://a\", credentials: true, expose: \"*\"}",
                ["58: error: cors.expose: * means nothing with credentials: name the headers"]
            ),
        ])
    func contradictionIsSaidWithItsFix(row: (String, [String])) {
        #expect(Self.problems(row.0).filter { $0.contains("error") } == row.1)
    }

    @Test(
        arguments: [
            ("{origins: \"https://a\"}", ""), ("{origins: \"http://localhost:3000\"}", ""), ("{origins: \"*\"}", ""),
            ("{origins: [\"http://app.example.com\"]}", "cors.origins[0]: whoever is on the way"),
            ("{origins: [\"null\"]}", "cors.origins[0]: every sandboxed frame"),
            (
                "{origins: [\"https://a\", \"https://b\", \"https://c\", \"https://d\"], credentials: true}",
                "cors.credentials: a page of any of these 4 origins"
            ),
            ("{origins: [\"https://a\"], credentials: true}", ""),
            ("{origins: [\"https://a\"], headers: [Content-Type]}", "cors.headers: without Authorization"),
            ("{origins: [\"https://a\"], headers: [authorization]}", ""),
        ])
    func oddIsWarnedOf(row: (String, String)) {
        let warnings = Self.problems(row.0)
        #expect(warnings.allSatisfy { $0.contains("warning") })
        #expect(row.1.isEmpty ? warnings.isEmpty : warnings.count == 1 && warnings[0].contains(row.1), "\(warnings)")
    }

    @Test func effectivePolicyHasDefaultsFilledIn() throws {
        func policy(_ text: String) throws -> String? {
            let configuration = try World.configuration("{upstream: unix:/s, cors: \(text)}")
            return try JSONReader.parse(Array(configuration.effectivePolicy().utf8).span.bytes)["cors"]?.serialized()
        }
        #expect(try policy("{}") == #"{"preflight":"deny"}"#)
        #expect(try policy("{preflight: forward}") == #"{"preflight":"forward"}"#)
        #expect(
            try policy("{origins: [\"https://A:443\"]}")
                == #"{"preflight":"answer","origins":["https://a"],"methods":[],"headers":[],"expose":[],"max_age":"10m","credentials":false}"#
        )
    }
}
