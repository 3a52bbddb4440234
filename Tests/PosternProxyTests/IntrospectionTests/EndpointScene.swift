import NIOCore
import NIOHTTP1
import NIOPosix
import PosternCore
import Testing

@testable import PosternProxy

/// An issuer that is asked about tokens, and whose server a test is.
final class EndpointScene: Sendable {
    let server: KeyServer
    let log: OwnLog
    let endpoint: IntrospectionEndpoint
    private let eventLoop: any EventLoop

    /// - Parameter settings: of `introspection`, besides `url`.
    init(_ settings: String = "credentials: {bearer: key-1}, timeout: 20s", url: String? = nil) async throws {
        self.server = try await KeyServer()
        self.log = try OwnLog()
        let snapshot = try Snapshots.make(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers: {asked: {introspection: {url: "\(url ?? self.server.url + "/ask?x=1")", \(settings)}}}
            routes: {GET /: public}

            """)
        let group = MultiThreadedEventLoopGroup.singleton
        self.eventLoop = group.next()
        self.endpoint = try #require(
            IntrospectionEndpoint(
                snapshot.issuers[0], eventLoop: self.eventLoop, group: group, logger: self.log.logger))
    }

    deinit { self.endpoint.stop() }

    /// Begins a question.
    func ask(
        _ token: String = "token-1", within time: TimeAmount = .seconds(20)
    ) -> EventLoopFuture<IntrospectionEndpoint.Answer> {
        self.endpoint.ask(Array(token.utf8), on: self.eventLoop, deadline: .now() + time)
    }

    /// A question as `explain` asks it.
    func question() async -> (IntrospectionEndpoint.Result, IntrospectionEndpoint.Answer, String) {
        await self.endpoint.question(Array("token-1".utf8), on: self.eventLoop)
    }

    /// One question that is answered like this.
    func asked(
        status: HTTPResponseStatus = .ok, types: [String] = ["application/json"], _ body: String,
        more: HTTPHeaders = [:]
    ) async throws -> IntrospectionEndpoint.Answer {
        let answer = self.ask()
        var headers = HTTPHeaders(types.map { ("Content-Type", $0) })
        headers.add(contentsOf: more)
        try await self.server.next().answer(body, status: status, headers: headers)
        return try await answer.get()
    }

    /// What questions led to so far.
    var counts: [IntrospectionEndpoint.Result: UInt64] { self.endpoint.status.counts }
}

extension KeyServer.Request {
    /// Answers as an issuer does.
    func answerJSON(_ body: String) { self.answer(body, headers: ["Content-Type": "application/json"]) }

    /// Calls the token active, and somebody's.
    func answerActive(_ user: String = "u1") { self.answerJSON(#"{"active":true,"sub":"\#(user)"}"#) }

    func answerInactive() { self.answerJSON(#"{"active":false}"#) }

    /// The token of a form.
    var token: String {
        String(self.body.prefix { $0 != "&" }.dropFirst("token=".count))
    }
}

extension IntrospectionEndpoint.Answer {
    /// What came of it, without the claims.
    var kind: IntrospectionFlight.IssuerAnswer {
        switch self {
        case .active: .active
        case .inactive: .inactive
        case .failed: .failed
        }
    }

    var claims: JSONValue? { if case .active(let claims) = self { claims } else { nil } }
}
