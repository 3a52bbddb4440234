import Logging
import NIOCore
import PosternCore
import PosternCrypto
import Synchronization

/// Introspection for the whole process: the issuers that are asked, and the one flight that each token has at a time,
/// whichever event loops its requests are on. Not on the path of a token that a cache knows.
final class IntrospectionService: Sendable {
    /// What a request waits for.
    typealias Continuation = @Sendable (IntrospectionFinding) -> Void

    /// A token, and who may be asked about it.
    struct FlightKey: Hashable, Sendable {
        let digest: TokenDigest
        let endpoints: [ObjectIdentifier]
    }

    private struct Waiter {
        let eventLoop: any EventLoop
        let resume: Continuation
    }

    private struct State {
        var endpoints: [IntrospectionEndpoint] = []
        /// Those of an earlier snapshot, while an event loop may still have it.
        var leaving: [IntrospectionEndpoint] = []
        /// Those that answer what they were asked, and end then.
        var retired: [IntrospectionEndpoint] = []
        var flights: [FlightKey: [Waiter]] = [:]
        var refusedFlights: UInt64 = 0
    }

    /// Tokens that may be in flight at once, which bounds what an outage costs in memory.
    static let flightLimit = 8192

    private let state = Mutex(State())
    private let group: any EventLoopGroup
    private let loops: LoopList
    private let logger: Logger
    private let flightLimit: Int

    /// - Parameter flightLimit: tokens that may be in flight at once.
    init(
        group: any EventLoopGroup, loops: LoopList, logger: Logger, flightLimit: Int = IntrospectionService.flightLimit
    ) {
        self.group = group
        self.loops = loops
        self.logger = logger
        self.flightLimit = flightLimit
    }

    // MARK: - Life

    /// Has the issuers of a snapshot asked from now on: those that are the same go on as they are, and those that are not
    /// wanted any more go on until `retire`.
    func adopt(_ snapshot: Snapshot) {
        self.state.withLock { state in
            var known = state.endpoints
            state.endpoints = snapshot.issuers.compactMap { issuer in
                if let index = known.firstIndex(where: { $0.issuer == issuer }) { return known.remove(at: index) }
                return IntrospectionEndpoint(
                    issuer, eventLoop: self.group.next(), group: self.group, logger: self.logger)
            }
            state.leaving += known
        }
    }

    /// Every event loop has the snapshot that was adopted last: nobody asks the issuers of the one before any more.
    /// Questions that are under way are still answered.
    func retire() {
        let gone = self.state.withLock { state in
            defer { state.leaving = [] }
            state.retired += state.leaving
            return state.leaving
        }
        // A flight goes on for the longest timeout of those that it asks.
        let timeouts = self.state.withLock { $0.endpoints.map(\.settings.timeout) } + gone.map(\.settings.timeout)
        for endpoint in gone {
            self.group.next().scheduleTask(in: .nanoseconds(timeouts.max() ?? 0) + .seconds(1)) { self.end(endpoint) }
        }
    }

    private func end(_ endpoint: IntrospectionEndpoint) {
        self.state.withLock { state in state.retired.removeAll { $0 === endpoint } }
        endpoint.stop()
    }

    /// Ends all questions.
    func stop() {
        let endpoints = self.state.withLock { state in
            defer { (state.endpoints, state.leaving, state.retired) = ([], [], []) }
            return state.endpoints + state.leaving + state.retired
        }
        for endpoint in endpoints { endpoint.stop() }
    }

    // MARK: - Tokens

    /// Finds out about a token: from Redis, or by asking.
    ///
    /// - Parameters:
    ///   - issuers: in the order in which they are asked.
    ///   - trace: what the request's verification is a part of, if that is recorded.
    ///   - loop: the event loop of the request, on which `resume` is called, once and never before this returns.
    func verify(
        _ token: [UInt8], issuers: [TrustedIssuer], loop: LoopContext, trace: QuestionTrace? = nil,
        resume: @escaping Continuation
    ) {
        let endpoints = self.endpoints(for: issuers)
        let waiter = Waiter(eventLoop: loop.eventLoop, resume: resume)
        let unavailable = IntrospectionFinding(.unavailable(deniedBy: []), asked: issuers)
        guard endpoints.count == issuers.count else { return Self.tell([waiter], unavailable) }
        let digest = TokenDigest(of: token.span.bytes)
        let key = FlightKey(digest: digest, endpoints: endpoints.map { ObjectIdentifier($0) })
        let isFirst: Bool? = self.state.withLock { state in
            if state.flights[key] != nil {
                state.flights[key]?.append(waiter)
                return false
            }
            guard state.flights.count < self.flightLimit else {
                state.refusedFlights &+= 1
                return nil
            }
            state.flights[key] = [waiter]
            return true
        }
        switch isFirst {
        case nil: Self.tell([waiter], unavailable)
        case true?:
            IntrospectionRun(token, digest: digest, endpoints: endpoints, loop: loop, trace: trace) {
                self.ended(key, token, IntrospectionFinding($0, asked: issuers))
            }.start()
        case false?: break
        }
    }

    private func endpoints(for issuers: [TrustedIssuer]) -> [IntrospectionEndpoint] {
        self.state.withLock { state in
            let all = state.endpoints + state.leaving
            return issuers.compactMap { issuer in all.first { $0.issuer == issuer } }
        }
    }

    /// Tells those who wait, and the event loops on which nobody does: one answer is for the whole process.
    private func ended(_ key: FlightKey, _ token: [UInt8], _ finding: IntrospectionFinding) {
        let waiters = self.state.withLock { $0.flights.removeValue(forKey: key) ?? [] }
        Self.tell(waiters, finding)
        if case .unavailable(let issuers) = finding.verdict, issuers.isEmpty { return }
        self.loops.tell(except: waiters.map(\.eventLoop)) { $0.learn(finding, token) }
    }

    private static func tell(_ waiters: [Waiter], _ finding: IntrospectionFinding) {
        for waiter in waiters { waiter.eventLoop.execute { waiter.resume(finding) } }
    }

    // MARK: - Status

    /// For metrics.
    struct Status: Sendable {
        var endpoints: [IntrospectionEndpoint.Status] = []
        /// Tokens in flight.
        var flights = 0
        /// Requests that were refused because too many tokens were in flight.
        var refusedFlights: UInt64 = 0
    }

    var status: Status {
        let (endpoints, flights, refused) = self.state.withLock {
            ($0.endpoints, $0.flights.count, $0.refusedFlights)
        }
        return Status(endpoints: endpoints.map(\.status), flights: flights, refusedFlights: refused)
    }
}
