import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import PosternCore
import Synchronization
import Tracing

/// An issuer that is asked about tokens: its connections, a bound on the questions that are under way, and a circuit that
/// keeps questions away from an issuer that does not answer. Shared by all event loops; not on the path of a token that a
/// cache knows.
final class IntrospectionEndpoint: Sendable {
    /// What a question led to: the `result` of the metric.
    enum Result: String, Sendable, CaseIterable {
        case active
        case inactive
        /// No connection, or one that broke.
        case unreachable
        case timeout
        /// Another status than 200, or a body that says nothing.
        case invalidAnswer = "invalid_answer"
        /// Another 4xx: the issuer is there, and does not want to be asked about such a token.
        case refused
        /// 401 or 403: the issuer does not take Postern's own credentials.
        case credentialsRefused = "credentials_refused"
        /// Not asked: too many questions are under way.
        case overloaded
        /// Not asked: the circuit is open.
        case circuitOpen = "circuit_open"
    }

    /// What the issuer said.
    enum Answer: Sendable {
        case active(JSONValue)
        case inactive
        case failed
    }

    /// For metrics.
    struct Status: Sendable {
        var issuer: String
        var counts: [Result: UInt64]
        var underWay: Int
        var isOpen: Bool
    }

    private struct State {
        /// A question may be asked although the circuit is open: an issuer that fails only for what a probe asks must not
        /// stay shut.
        var allowsTrial = false
        /// Counts openings of the circuit: the probes of an earlier one are over.
        var openings = 0
        var circuit = Circuit(settings: Circuit.Settings(failures: 5, base: 250_000_000, maximum: 5_000_000_000))
        var underWay = 0
        var counts: [Result: UInt64] = [:]
        /// Monotonic nanoseconds of the last failure that was logged, and how many came since.
        var loggedAt = Int64.min
        var unlogged = 0
        var isStopped = false
    }

    /// Questions that may be under way at once.
    static let limit = 256

    let issuer: TrustedIssuer
    let settings: Configuration.Introspection
    private let client: HTTPClient
    private let request: IntrospectionRequest
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter eventLoop: where the background probes run.
    init?(_ issuer: TrustedIssuer, eventLoop: any EventLoop, group: any EventLoopGroup, logger: Logger) {
        guard let settings = issuer.introspection, let configuration = issuer.client,
            let request = IntrospectionRequest(settings)
        else { return nil }
        self.issuer = issuer
        self.settings = settings
        self.request = request
        self.client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        self.eventLoop = eventLoop
        var logger = logger
        logger[metadataKey: "issuer"] = "\(issuer.rules.name)"
        self.logger = logger
    }

    /// No redirects, since the operator names the place, and no decompression.
    static func clientConfiguration(_ settings: Configuration.Introspection) throws -> HTTPClient.Configuration {
        guard IntrospectionRequest(settings) != nil else {
            throw TrustedAuthorities.Problem(description: "the credentials cannot be sent: they are not plain text")
        }
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.idleTimeout = .seconds(4)
        // Tried again by the circuit, and by nobody else: the pool's own pauses grow to a minute, and until the next one is
        // over no probe would reach an issuer that is back.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.timeout.connect = .nanoseconds(settings.timeout)
        configuration.tlsConfiguration = try settings.ca.map { try TrustedAuthorities.client($0) }
        return configuration
    }

    /// Ends it. Questions that are under way fail.
    func stop() {
        self.state.withLock { $0.isStopped = true }
        let client = self.client
        Task { try? await client.shutdown() }
    }

    var status: Status {
        self.state.withLock { state in
            Status(
                issuer: self.issuer.rules.name, counts: state.counts, underWay: state.underWay,
                isOpen: !state.circuit.allows)
        }
    }

    // MARK: - Questions

    /// Asks about a token, unless the issuer is known not to answer or too many questions are under way.
    ///
    /// - Parameter trace: what the question is a part of, if that is recorded.
    /// - Returns: a future of `eventLoop`, which never fails.
    func ask(
        _ token: [UInt8], on eventLoop: any EventLoop, deadline: NIODeadline, trace: QuestionTrace? = nil
    ) -> EventLoopFuture<Answer> {
        let refusal: Result? = self.state.withLock { state in
            if state.isStopped { return .circuitOpen }
            guard state.underWay < Self.limit else { return .overloaded }
            if !state.circuit.allows {
                guard state.allowsTrial else { return .circuitOpen }
                state.allowsTrial = false
            }
            state.underWay += 1
            return nil
        }
        if let refusal {
            self.count(refusal)
            return eventLoop.makeSucceededFuture(.failed)
        }
        var headers = HTTPHeaders()
        let span = self.startSpan(trace, headers: &headers)
        return self.send(token, on: eventLoop, deadline: deadline, headers, span).map { result, answer, reason in
            self.end(span, trace, result)
            self.ended(result, reason)
            return answer
        }
    }

    /// Asks about a token whatever the circuit says, and says why there is no answer.
    func question(_ token: [UInt8], on eventLoop: any EventLoop) async -> (Result, Answer, String) {
        let deadline = NIODeadline.now() + .nanoseconds(self.settings.timeout)
        let future = self.send(token, on: eventLoop, deadline: deadline)
        return (try? await future.get()) ?? (.unreachable, .failed, "the question was given up")
    }

    /// Sends one question, once more if the connection that it went to had been closed meanwhile.
    private func send(
        _ token: [UInt8], on eventLoop: any EventLoop, deadline: NIODeadline, _ headers: HTTPHeaders = [:],
        _ span: TraceSpan? = nil
    ) -> EventLoopFuture<(Result, Answer, String)> {
        self.execute(token, on: eventLoop, deadline: deadline, headers).flatMapError { error in
            guard (error as? HTTPClientError) == .remoteConnectionClosed, NIODeadline.now() < deadline else {
                return eventLoop.makeFailedFuture(error)
            }
            return self.execute(token, on: eventLoop, deadline: deadline, headers)
        }.map { response in
            span?.attributes["http.response.status_code"] = Int(response.status.code)
            return self.read(response)
        }.flatMapErrorThrowing { error in
            Self.failure(error)
        }
    }

    private func execute(
        _ token: [UInt8], on eventLoop: any EventLoop, deadline: NIODeadline, _ extra: HTTPHeaders
    ) -> EventLoopFuture<HTTPClient.Response> {
        do {
            var headers = HTTPHeaders([
                ("Content-Type", self.request.contentType), ("Accept", "application/json"), ("User-Agent", "postern"),
            ])
            if let authorization = self.request.authorization {
                headers.add(name: "Authorization", value: authorization)
            }
            headers.add(contentsOf: extra)
            let body = self.request.body(token: token.span.bytes)
            let request = try HTTPClient.Request(
                url: self.settings.url, method: .POST, headers: headers, body: .byteBuffer(ByteBuffer(bytes: body)))
            let delegate = ResponseAccumulator(request: request, maxBodySize: IntrospectionAnswer.maximumLength)
            return self.client.execute(
                request: request, delegate: delegate, eventLoop: .delegateAndChannel(on: eventLoop),
                deadline: deadline
            ).futureResult
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    private func read(_ response: HTTPClient.Response) -> (Result, Answer, String) {
        switch response.status {
        case .ok: break
        case .unauthorized, .forbidden:
            return (.credentialsRefused, .failed, "the issuer answered \(response.status.code)")
        case .requestTimeout, .tooManyRequests:
            return (.invalidAnswer, .failed, "the issuer answered \(response.status.code)")
        case let status where (400..<500).contains(status.code):
            return (.refused, .failed, "the issuer answered \(status.code)")
        default:
            return (.invalidAnswer, .failed, "the issuer answered \(response.status.code)")
        }
        guard Self.isJSON(response.headers["Content-Type"]) else {
            return (.invalidAnswer, .failed, "the issuer's answer is not said to be JSON")
        }
        let body = response.body?.readableBytesView.map { $0 } ?? []
        do throws(IntrospectionProblem) {
            switch try IntrospectionAnswer.read(body.span.bytes, dialect: self.settings.dialect) {
            case .active(let claims): return (.active, .active(claims), "")
            case .inactive: return (.inactive, .inactive, "")
            }
        } catch {
            return (.invalidAnswer, .failed, error.description)
        }
    }

    /// RFC 7662 section 2.2: the answer is `application/json`; a more specific type of JSON is as good.
    private static func isJSON(_ types: [String]) -> Bool {
        guard types.count == 1 else { return false }
        let type = types[0].prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
    }

    private static func failure(_ error: any Error) -> (Result, Answer, String) {
        if error is ResponseAccumulator.ResponseTooBigError {
            return (.invalidAnswer, .failed, IntrospectionProblem.tooLong.description)
        }
        let timeouts: [HTTPClientError] = [
            .deadlineExceeded, .readTimeout, .connectTimeout, .getConnectionFromPoolTimeout,
        ]
        if let error = error as? HTTPClientError, timeouts.contains(error) {
            return (.timeout, .failed, "the issuer did not answer in time")
        }
        return (.unreachable, .failed, "\(error)")
    }

    private func ended(_ result: Result, _ reason: String) {
        self.state.withLock { $0.underWay -= 1 }
        self.count(result)
        switch result {
        case .active, .inactive:
            self.perform(self.state.withLock { $0.circuit.succeeded() })
        case .refused:
            // Says something of the token, and nothing of the issuer: whoever sends odd ones must not shut it for others.
            self.logFailure(result, reason)
        default:
            self.logFailure(result, reason)
            self.perform(
                self.state.withLock { $0.circuit.failed(now: Self.now, random: Double.random(in: 0..<1)) })
        }
    }

    private func count(_ result: Result) {
        self.state.withLock { $0.counts[result, default: 0] &+= 1 }
    }

    // MARK: - Circuit

    private static var now: Int64 { Int64(truncatingIfNeeded: NIODeadline.now().uptimeNanoseconds) }

    private func perform(_ action: Circuit.Action) {
        switch action {
        case .none:
            break
        case .open(let probeAt):
            self.state.withLock { $0.openings += 1 }
            self.logger.error("the issuer does not answer: it is not asked until a probe succeeds")
            self.probe(at: probeAt)
        case .probe(let time):
            self.probe(at: time)
        case .close:
            self.logger.info("the issuer answers again")
        }
    }

    private func probe(at time: Int64) {
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(max(0, time)))
        let opening = self.state.withLock { $0.openings }
        self.eventLoop.scheduleTask(deadline: deadline) {
            let isWanted = self.state.withLock { state in
                guard !state.circuit.allows, !state.isStopped, state.openings == opening else { return false }
                state.allowsTrial = true
                return true
            }
            guard isWanted else { return }
            let limit = NIODeadline.now() + .nanoseconds(self.settings.timeout)
            self.send(Self.probeToken(), on: self.eventLoop, deadline: limit).whenSuccess { result, _, _ in
                let isAnswer = result == .active || result == .inactive || result == .refused
                self.perform(
                    self.state.withLock { state in
                        guard state.openings == opening else { return .none }
                        return isAnswer
                            ? state.circuit.probeSucceeded()
                            : state.circuit.probeFailed(now: Self.now, random: Double.random(in: 0..<1))
                    })
            }
        }
    }

    /// A token that nobody has: what counts is whether the issuer answers at all.
    private static func probeToken() -> [UInt8] {
        Array("postern-probe-\(UInt64.random(in: 0 ... .max))".utf8)
    }

    /// At most one line a second for an issuer that fails, with how many failures it stands for. Never the token.
    private func logFailure(_ result: Result, _ reason: String) {
        let now = Self.now
        let unlogged: Int? = self.state.withLock { state in
            guard state.loggedAt == .min || now &- state.loggedAt >= 1_000_000_000 else {
                state.unlogged += 1
                return nil
            }
            defer { (state.loggedAt, state.unlogged) = (now, 0) }
            return state.unlogged
        }
        guard let unlogged else { return }
        let metadata: Logger.Metadata = [
            "result": "\(result.rawValue)", "reason": "\(reason)", "failures_before": "\(unlogged)",
        ]
        if result == .credentialsRefused {
            self.logger.critical(
                "the issuer refuses this proxy's own credentials: nobody's token can be checked", metadata: metadata)
        } else {
            self.logger.warning("introspection failed", metadata: metadata)
        }
    }
}

extension IntrospectionRequest {
    /// The question as the configuration wants it; nil for credentials that cannot be written down.
    init?(_ settings: Configuration.Introspection) {
        let credentials: Credentials =
            switch settings.credentials {
            case .bearer(let secret): .bearer(secret.bytes)
            case .basic(let id, let secret): .basic(id: id, secret: secret.bytes)
            case .form(let id, let secret): .form(id: id, secret: secret.bytes)
            }
        self.init(dialect: settings.dialect, credentials: credentials)
    }
}
