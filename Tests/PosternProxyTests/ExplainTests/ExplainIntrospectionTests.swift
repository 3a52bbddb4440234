import NIOHTTP1
import PosternCore
import Synchronization
import Testing

@testable import PosternProxy

/// `explain` where the token's issuer has to be asked.
@Suite(.timeLimit(.minutes(1))) struct ExplainIntrospectionTests {
    private static let token = "opaque-token-of-somebody"

    private static func text(_ url: String = "http://127.0.0.1:1") -> String {
        """
        version: 1
        upstream: http://127.0.0.1:8001
        issuers:
          one: {introspection: {url: "\(url)/one", credentials: {bearer: sesame-key}}}
          two: {introspection: {url: "\(url)/two", credentials: {bearer: sesame-key}}}
        routes:
          GET /public: public
          GET /trades: {scopes: [trade:read]}

        """
    }

    /// Issuers by name, and what they say.
    private final class Issuers: Sendable {
        let answers: [String: ExplainIntrospection.Said]
        let asked = Mutex<[String]>([])

        init(_ answers: [String: ExplainIntrospection.Said]) { self.answers = answers }

        func ask(_ issuer: TrustedIssuer, _ token: [UInt8]) -> ExplainIntrospection.Said {
            let name = issuer.rules.name
            self.asked.withLock { $0.append("\(name): \(String(decoding: token, as: UTF8.self))") }
            return self.answers[name] ?? .failure("nobody expected this")
        }
    }

    private static func claims(_ json: String) throws -> ExplainIntrospection.Said {
        .answer(.active(try JSONReader.parse(Array(json.utf8).span.bytes)))
    }

    private static func run(
        _ issuers: Issuers, _ request: ExplainRequest, format: OutputFormat = .text
    ) async throws -> CommandOutput {
        let folder = try TemporaryFolder()
        try folder.write("proxy.yaml", Self.text())
        return await ExplainCommand.run(
            path: folder.path("proxy.yaml"), request: request, format: format, now: Scene.now,
            retrieval: Scene.down, questions: { issuers.ask($0, $1) })
    }

    private static func request(_ token: String = Self.token) throws -> ExplainRequest {
        try ExplainRequest(method: "GET", target: "/trades", token: token)
    }

    // MARK: - What is printed

    @Test func callerIsWhoTheIssuerSays() async throws {
        let issuers = Issuers([
            "one": .answer(.inactive),
            "two": try Self.claims(#"{"active":true,"sub":"u1","scope":"trade:read","exp":1800000060}"#),
        ])
        for format in OutputFormat.allCases {
            let output = try await Self.run(issuers, Self.request(), format: format)
            #expect(output.exitCode == ExitStatus.fine)
            #expect(output.stderr.isEmpty)
            for fact in [
                "introspection decides: one then two to be asked", "one was asked and calls the token inactive",
                "two was asked and calls the token active", "user u1", "scopes trade:read",
            ] {
                #expect(output.stdout.contains(fact), "\(fact)\n\(output.stdout)")
            }
            for secret in [Self.token, "sesame-key"] { #expect(!output.stdout.contains(secret)) }
        }
        #expect(issuers.asked.withLock { $0.prefix(2) } == ["one: \(Self.token)", "two: \(Self.token)"])
    }

    @Test func firstThatCallsItActiveIsTheLastThatIsAsked() async throws {
        let issuers = Issuers(["one": try Self.claims(#"{"active":true,"sub":"u1"}"#)])
        let output = try await Self.run(issuers, Self.request())
        #expect(output.exitCode == ExitStatus.negative, "a scope is missing")
        #expect(output.stdout.contains("no scopes"))
        #expect(output.stdout.contains("the issuer says of no expiry"))
        #expect(issuers.asked.withLock { $0.count } == 1)
    }

    @Test func inactiveTokenIsRefused() async throws {
        let issuers = Issuers(["one": .answer(.inactive), "two": .answer(.inactive)])
        let output = try await Self.run(issuers, Self.request())
        #expect(output.exitCode == ExitStatus.negative)
        #expect(output.stdout.contains("(\(TokenProblem.inactive.code))"))
        #expect(output.stdout.contains("401"))
        #expect(!output.stdout.contains(Self.token))
    }

    @Test func answerIsHeldToTheRules() async throws {
        let issuers = Issuers(["one": try Self.claims(#"{"active":true,"exp":1700000000}"#)])
        let output = try await Self.run(issuers, Self.request())
        #expect(output.exitCode == ExitStatus.negative)
        #expect(output.stdout.contains("one was asked and calls the token active"))
        #expect(output.stdout.contains("(\(TokenProblem.expired.code))"))
    }

    @Test(arguments: [false, true])
    func issuerThatCannotBeAskedIsTheProxysAnswer(isFirst: Bool) async throws {
        let failure = ExplainIntrospection.Said.failure("refused to say anything about \(Self.token)")
        let (first, second) = isFirst ? (failure, .answer(.inactive)) : (.answer(.inactive), failure)
        let issuers = Issuers(["one": first, "two": second])
        let output = try await Self.run(issuers, Self.request())
        #expect(output.exitCode == ExitStatus.negative)
        #expect(output.stdout.contains("\(isFirst ? "one" : "two") could not be asked: refused to say"))
        #expect(output.stdout.contains("502"))
        #expect(!output.stdout.contains(Self.token), "whoever repeats it")
        #expect(issuers.asked.withLock { $0.count } == 2)
    }

    // MARK: - Whether anybody is asked

    @Test func nobodyIsAskedAboutClaims() async throws {
        let issuers = Issuers([:])
        let request = try ExplainRequest(
            method: "GET", target: "/trades", claims: #"{"sub":"u1","scope":"trade:read"}"#)
        let output = try await Self.run(issuers, request)
        #expect(output.exitCode == ExitStatus.fine)
        #expect(issuers.asked.withLock { $0.isEmpty })
    }

    @Test func nobodyIsAskedWhereThereIsNoToken() async throws {
        let issuers = Issuers([:])
        let output = try await Self.run(issuers, ExplainRequest(method: "GET", target: "/trades"))
        #expect(output.stdout.contains("401"))
        #expect(issuers.asked.withLock { $0.isEmpty })
    }

    @Test func nobodyIsAskedAboutATokenOfAnIssuerWithKeys() async throws {
        let token = try Scene.token("good")
        let snapshot = try Snapshot(
            try ConfigurationPath.snapshot(path: Scene.path("proxy.yaml")).get().configuration, generation: 1,
            labels: RouteLabels(), loops: 1)
        let issuers = Issuers([:])
        let found = await ExplainIntrospection.ask(
            for: try Self.request(token), snapshot: snapshot, now: Scene.now, retrieval: { issuers.ask($0, $1) })
        #expect(found == nil)
        #expect(issuers.asked.withLock { $0.isEmpty })
    }

    @Test func verdictIsNotTakenForLaterThanNow() async throws {
        let snapshot = try Snapshots.make(Self.text())
        let issuers = Issuers(["one": .answer(.inactive), "two": .answer(.failed)])
        let found = await ExplainIntrospection.ask(
            for: try Self.request(), snapshot: snapshot, now: Scene.now, retrieval: { issuers.ask($0, $1) })
        #expect(found?.verdict.isUnavailable == true)
        #expect(
            found?.facts == ["one was asked and calls the token inactive", "two could not be asked"])
    }

    // MARK: - Asking

    @Test func issuerIsAskedAsTheProxyAsks() async throws {
        let server = try await KeyServer()
        let issuer = try Snapshots.make(Self.text(server.url)).issuers[0]
        async let said = ExplainIntrospection.question(issuer, Array(Self.token.utf8))
        let request = try await server.next()
        #expect(request.head.uri == "/one")
        #expect(request.head.headers["Authorization"] == ["Bearer sesame-key"])
        #expect(request.token == Self.token)
        request.answerActive()
        guard case .answer(.active(let claims)) = await said else {
            Issue.record("the issuer said so")
            return
        }
        #expect(claims["sub"] == .string("u1"))
    }

    @Test func failureOfTheQuestionSaysWhy() async throws {
        let server = try await KeyServer()
        let issuer = try Snapshots.make(Self.text(server.url)).issuers[0]
        async let said = ExplainIntrospection.question(issuer, Array(Self.token.utf8))
        try await server.next().answer("", status: .unauthorized)
        guard case .failure("the issuer answered 401") = await said else {
            Issue.record("the issuer did not answer")
            return
        }
    }
}
