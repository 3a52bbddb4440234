import NIOCore
import NIOHTTP1
import PosternCore
import Testing

@testable import PosternProxy

/// What an issuer is sent, and what its answers mean.
@Suite(.timeLimit(.minutes(1))) struct EndpointAnswerTests {
    // MARK: - The question

    struct Question: CustomTestStringConvertible, Sendable {
        var sentence: String
        var settings: String
        var type: String
        var authorization: [String]
        var body: String
        var testDescription: String { self.sentence }
    }

    private static let client = #"{id: "a client", secret: "s:e+c%"}"#
    private static let form = "application/x-www-form-urlencoded"

    static let questions: [Question] = [
        Question(
            sentence: "a form, with a bearer token", settings: "credentials: {bearer: key-1}", type: Self.form,
            authorization: ["Bearer key-1"], body: "token=tok.1~%2B%2F&token_type_hint=access_token"),
        Question(
            sentence: "a form, with Basic", settings: "credentials: {basic: \(Self.client)}", type: Self.form,
            authorization: ["Basic YStjbGllbnQ6cyUzQWUlMkJjJTI1"],
            body: "token=tok.1~%2B%2F&token_type_hint=access_token"),
        Question(
            sentence: "a form with everything in it", settings: "credentials: {form: \(Self.client)}",
            type: Self.form, authorization: [],
            body: "token=tok.1~%2B%2F&token_type_hint=access_token&client_id=a+client&client_secret=s%3Ae%2Bc%25"),
        Question(
            sentence: "hecate", settings: "dialect: hecate, credentials: {bearer: key-1}", type: "application/json",
            authorization: ["Bearer key-1"], body: #"{"token":"tok.1~+/"}"#),
    ]

    @Test(arguments: Self.questions)
    func questionIsThatOfTheDialectAndTheCredentials(row: Question) async throws {
        let scene = try await EndpointScene(row.settings)
        let answer = scene.ask("tok.1~+/")
        let request = try await scene.server.next()
        #expect(request.head.method == .POST)
        #expect(request.head.uri == "/ask?x=1")
        #expect(request.head.headers["Content-Type"] == [row.type])
        #expect(request.head.headers["Accept"] == ["application/json"])
        #expect(request.head.headers["User-Agent"] == ["postern"])
        #expect(request.head.headers["Authorization"] == row.authorization)
        #expect(request.body == row.body)
        request.answerJSON(#"{"active":false,"valid":false}"#)
        #expect(try await answer.get().kind == .inactive)
        #expect(try await scene.log.rest().isEmpty)
    }

    // MARK: - The answer

    typealias Result = IntrospectionEndpoint.Result

    struct Row: CustomTestStringConvertible, Sendable {
        var sentence: String
        var status: Int = 200
        var types = ["application/json"]
        var body = #"{"active":true}"#
        var result: Result
        /// A part of the reason that is logged.
        var reason = ""
        var testDescription: String { self.sentence }
    }

    static let verdicts: [Row] = [
        Row(sentence: "active", result: .active),
        Row(sentence: "inactive", body: #"{"active":false}"#, result: .inactive),
        Row(sentence: "a parameter of the type", types: ["application/json; charset=utf-8"], result: .active),
        Row(sentence: "a type in capitals", types: ["Application/JSON"], result: .active),
        Row(sentence: "a more specific type", types: ["application/token-introspection+json"], result: .active),
    ]

    @Test(arguments: Self.verdicts)
    func answerIsAVerdict(row: Row) async throws {
        let scene = try await EndpointScene()
        let answer = try await scene.asked(types: row.types, row.body)
        #expect(answer.kind == (row.result == .active ? .active : .inactive))
        #expect(scene.counts == [row.result: 1])
        #expect(try await scene.log.rest().isEmpty)
    }

    static let failures: [Row] = [
        Row(sentence: "not found", status: 404, result: .refused, reason: "answered 404"),
        Row(sentence: "created", status: 201, result: .invalidAnswer, reason: "answered 201"),
        Row(sentence: "broken", status: 500, result: .invalidAnswer, reason: "answered 500"),
        Row(sentence: "not authenticated", status: 401, result: .credentialsRefused, reason: "answered 401"),
        Row(sentence: "not allowed", status: 403, result: .credentialsRefused, reason: "answered 403"),
        Row(sentence: "no type", types: [], result: .invalidAnswer, reason: "not said to be JSON"),
        Row(sentence: "a page", types: ["text/html"], result: .invalidAnswer, reason: "not said to be JSON"),
        Row(sentence: "text", types: ["text/json"], result: .invalidAnswer, reason: "not said to be JSON"),
        Row(sentence: "a longer type", types: ["application/jsonp"], result: .invalidAnswer, reason: "not said"),
        Row(sentence: "a JWT", types: ["application/token-introspection+jwt"], result: .invalidAnswer, reason: "said"),
        Row(
            sentence: "two types", types: ["application/json", "application/json"], result: .invalidAnswer,
            reason: "not said to be JSON"),
        Row(sentence: "no JSON", body: "<html>", result: .invalidAnswer, reason: "is not JSON"),
        Row(sentence: "nothing", body: "", result: .invalidAnswer, reason: "is not JSON"),
        Row(sentence: "no object", body: "[true]", result: .invalidAnswer, reason: "not a JSON object"),
        Row(sentence: "a word", body: #"{"active":"true"}"#, result: .invalidAnswer, reason: "no member \"active\""),
        Row(sentence: "a number", body: #"{"active":1}"#, result: .invalidAnswer, reason: "no member \"active\""),
        Row(sentence: "hecate's word", body: #"{"valid":true}"#, result: .invalidAnswer, reason: "no member"),
        Row(
            sentence: "two verdicts", body: #"{"active":false,"active":true}"#, result: .invalidAnswer,
            reason: "is not JSON"),
    ]

    @Test(arguments: Self.failures)
    func anythingElseIsAFailureThatIsLogged(row: Row) async throws {
        let scene = try await EndpointScene()
        let answer = try await scene.asked(status: .init(statusCode: row.status), types: row.types, row.body)
        #expect(answer.kind == .failed)
        #expect(scene.counts == [row.result: 1])
        let line = try scene.log.next()
        #expect(line["issuer"]?.string == "asked")
        #expect(line["result"]?.string == row.result.rawValue)
        #expect(line["reason"]?.string?.contains(row.reason) == true, "\(line)")
        #expect(line["failures_before"]?.string == "0")
        #expect(line["level"]?.string == (row.result == .credentialsRefused ? "critical" : "warning"))
        #expect(!line.serialized().contains("token-1") && !line.serialized().contains("key-1"))
    }

    @Test func activeAnswerBringsItsMembers() async throws {
        let scene = try await EndpointScene()
        let answer = try await scene.asked(#"{"active":true,"sub":"u1","scope":"a b"}"#)
        #expect(answer.claims?["sub"] == .string("u1"))
        #expect(answer.claims?["scope"] == .string("a b"))
    }

    @Test(arguments: [(#"{"valid":true,"user_id":"u1"}"#, Result.active), (#"{"active":true}"#, .invalidAnswer)])
    func hecateHasItsOwnWord(row: (String, Result)) async throws {
        let scene = try await EndpointScene("dialect: hecate, credentials: {bearer: key-1}")
        _ = try await scene.asked(row.0)
        #expect(scene.counts == [row.1: 1])
    }

    @Test func redirectIsNotFollowed() async throws {
        let scene = try await EndpointScene()
        let answer = try await scene.asked(status: .temporaryRedirect, "", more: ["Location": "/elsewhere"])
        #expect(answer.kind == .failed)
        #expect(scene.counts == [.invalidAnswer: 1])
        #expect(scene.server.paths == ["/ask?x=1"])
    }

    @Test(arguments: [(0, true, true), (1, true, false), (0, false, true), (1, false, false)])
    func answerOverTheLimitIsRefused(row: (over: Int, saysLength: Bool, isTaken: Bool)) async throws {
        let scene = try await EndpointScene()
        let body = #"{"active":true}"#
        let padding = String(repeating: " ", count: IntrospectionAnswer.maximumLength - body.utf8.count + row.over)
        let answer = try await scene.asked(
            body + padding, more: row.saysLength ? [:] : ["Transfer-Encoding": "chunked"])
        #expect((answer.kind == .active) == row.isTaken)
        #expect(scene.counts == [row.isTaken ? .active : .invalidAnswer: 1])
        if !row.isTaken { #expect(try scene.log.next()["reason"]?.string?.contains("longer than") == true) }
    }

    // MARK: - No answer

    @Test func issuerThatDoesNotAnswerInTimeFails() async throws {
        let scene = try await EndpointScene()
        let answer = scene.ask(within: .milliseconds(200))
        #expect(scene.endpoint.status.underWay == 1)
        #expect(try await answer.get().kind == .failed)
        #expect(scene.counts == [.timeout: 1])
        #expect(scene.endpoint.status.underWay == 0)
    }

    /// The server may have closed a connection that was kept, just when the question was sent.
    @Test func questionIsAskedOnceMoreWhenItsConnectionWasClosed() async throws {
        let scene = try await EndpointScene()
        let answer = scene.ask()
        try await scene.server.next().drop()
        try await scene.server.next().answerActive()
        #expect(try await answer.get().kind == .active)
        #expect(scene.counts == [.active: 1])
    }

    @Test func questionIsNotAskedAThirdTime() async throws {
        let scene = try await EndpointScene()
        let answer = scene.ask()
        for _ in 0..<2 { try await scene.server.next().drop() }
        #expect(try await answer.get().kind == .failed)
        #expect(scene.counts == [.unreachable: 1])
        #expect(scene.server.paths.count == 2)
    }

    @Test func nobodyListeningIsAFailureWithinTheTime() async throws {
        let scene = try await EndpointScene(url: "http://127.0.0.1:1/ask")
        #expect(try await scene.ask(within: .milliseconds(300)).get().kind == .failed)
        let result = try #require(scene.counts.keys.first)
        #expect([.unreachable, .timeout].contains(result))
    }

    @Test func questionForExplainSaysWhyThereIsNoAnswer() async throws {
        let scene = try await EndpointScene()
        async let question = scene.question()
        try await scene.server.next().answer("", status: .unauthorized)
        let (result, answer, reason) = await question
        #expect(result == .credentialsRefused)
        #expect(answer.kind == .failed)
        #expect(reason == "the issuer answered 401")
        #expect(scene.counts.isEmpty, "it is no request's")
    }
}
