import PosternCore
import Testing

@testable import PosternProxy

/// `explain` and `check` where `cors` says something.
@Suite struct ExplainCorsTests {
    private static func path(_ folder: TemporaryFolder, cors: String) throws -> String {
        try folder.write(
            "proxy.yaml",
            """
            version: 1
            upstream: http://127.0.0.1:8001
            cors: \(cors)
            issuers:
              main: {issuer: x, audiences: [a], keys: {url: "https://issuer.test/keys"}}
            routes:
              GET /public: public
              PUT /trades: {scopes: [trade:write]}
              ANY /shut/{rest...}: deny

            """)
        return folder.path("proxy.yaml")
    }

    private static func explain(
        _ method: String, _ path: String, _ headers: [String], cors: String, format: OutputFormat = .text
    ) async throws -> CommandOutput {
        let folder = try TemporaryFolder()
        return await ExplainCommand.run(
            path: try Self.path(folder, cors: cors),
            request: try ExplainRequest(method: method, target: path, headers: headers), format: format,
            now: Scene.now, retrieval: Scene.down)
    }

    private static let answer = "{origins: [\"https://app.test\"]}"
    private static let preflight = ["Origin: https://app.test", "Access-Control-Request-Method: PUT"]

    @Test func answeredPreflightIsShownAsItIs() async throws {
        let output = try await Self.explain("OPTIONS", "/trades", Self.preflight, cors: Self.answer)
        #expect(output.exitCode == ExitStatus.fine)
        #expect(output.stdout.contains("a preflight for PUT from https://app.test: the proxy answers it"))
        #expect(output.stdout.contains("Answered by the proxy: 204\n"))
        #expect(output.stdout.contains("    Access-Control-Allow-Methods: PUT\n"))
        #expect(output.stdout.contains("PUT /trades (line 8)"))
    }

    @Test func preflightForWhatNoRouteDeclaresSaysWhatFollows() async throws {
        let output = try await Self.explain("OPTIONS", "/nowhere", Self.preflight, cors: Self.answer)
        #expect(output.exitCode == ExitStatus.fine)
        #expect(output.stdout.contains("no route declares what is asked for: the request itself is refused"))
    }

    @Test func preflightOfAnotherOriginIsDenied() async throws {
        let headers = ["Origin: https://evil.test", "Access-Control-Request-Method: PUT"]
        let output = try await Self.explain("OPTIONS", "/trades", headers, cors: Self.answer)
        #expect(output.exitCode == ExitStatus.negative)
        #expect(output.stdout.contains("https://evil.test is not in cors.origins: the answer allows nothing"))
        #expect(!output.stdout.contains("Access-Control-Allow"))
        let json = try await Self.explain("OPTIONS", "/trades", headers, cors: Self.answer, format: .json)
        let members = try JSONReader.parse(Array(json.stdout.utf8).span.bytes)
        #expect(members["allowed"] == .bool(false))
        #expect(members["status"]?.serialized() == "204")
    }

    @Test func forwardedPreflightNeedsNoToken() async throws {
        let output = try await Self.explain("OPTIONS", "/trades", Self.preflight, cors: "{preflight: forward}")
        #expect(output.exitCode == ExitStatus.fine)
        #expect(output.stdout.contains("a preflight goes to the service without a token"))
        #expect(output.stdout.contains("Allowed: http://127.0.0.1:8001 gets"))
        let shut = try await Self.explain("OPTIONS", "/shut/x", Self.preflight, cors: "{preflight: forward}")
        #expect(shut.exitCode == ExitStatus.negative)
        #expect(shut.stdout.contains("Denied: 403 route_denied"))
    }

    @Test func refusalAndPermitSayWhoMayReadThem() async throws {
        let refused = try await Self.explain("PUT", "/trades", ["Origin: https://app.test"], cors: Self.answer)
        #expect(refused.stdout.contains("    Access-Control-Allow-Origin: https://app.test\n"))
        #expect(refused.stdout.contains("    Vary: Origin\n"))
        let passed = try await Self.explain("GET", "/public", ["Origin: https://app.test"], cors: Self.answer)
        #expect(passed.stdout.contains("pages of https://app.test may read the answer"))
        let other = try await Self.explain("GET", "/public", ["Origin: https://evil.test"], cors: Self.answer)
        #expect(other.stdout.contains("https://evil.test is not in cors.origins"))
        #expect(other.exitCode == ExitStatus.fine, "the request itself is let through")
        let silent = try await Self.explain("GET", "/public", [], cors: Self.answer)
        #expect(!silent.stdout.contains("may read"))
    }

    @Test func checkSaysThatPreflightsPassWithoutAToken() throws {
        let folder = try TemporaryFolder()
        let note = "note: cors.preflight: forward: preflights reach the service without a token"
        let forward = CheckCommand.run(path: try Self.path(folder, cors: "{preflight: forward}"), format: .text)
        #expect(forward.stdout.contains(note))
        #expect(forward.exitCode == ExitStatus.fine)
        let answer = CheckCommand.run(path: try Self.path(folder, cors: Self.answer), format: .text)
        #expect(!answer.stdout.contains("cors"))
    }
}
