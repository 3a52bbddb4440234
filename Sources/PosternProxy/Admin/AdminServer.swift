import NIOCore
import NIOHTTP1
import NIOPosix
import PosternCore

/// The admin listener: liveness, readiness, metrics, the effective policy, and the status page. Not on the path of any
/// request.
struct AdminServer: Sendable {
    /// What a listener offers.
    enum Scope: Sendable {
        /// Everything.
        case admin
        /// Only what kubelet and Prometheus ask for.
        case status
    }

    let scope: Scope
    let source: any AdminSource
    /// The name by which the configuration knows the listener.
    var ownName: String?
    private let explanations = ExplainEndpoint()

    init(scope: Scope, source: any AdminSource) {
        self.scope = scope
        self.source = source
    }

    /// Opens the listener on `eventLoop`.
    ///
    /// - Parameter shares: whether there may be another process on the address: one that this one takes over.
    func open(
        _ address: Address, on eventLoop: any EventLoop, shares: Bool = false
    ) async throws(Listeners.Failure) -> OpenListener {
        var server = self
        if case .host(let host, _) = address { server.ownName = host }
        let bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [server] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(AdminHandler(server: server))
                }
            }
        switch address {
        case .unix(let path):
            return try await OpenListener.bind(bootstrap, path: path, shares: shares, on: eventLoop)
        case .host(let host, let port):
            let channel = try await OpenListener.bind(bootstrap, host: host, port: port, shares: shares)
            return OpenListener(channels: [channel], file: nil)
        }
    }

    /// The reply to a request.
    func reply(to request: AdminRequest) async -> AdminReply {
        guard let resource = AdminResource(rawValue: request.path), self.scope == .admin || resource.isForProbes else {
            return .problem(.notFound, "there is nothing at this path")
        }
        guard resource.allows(request.method) else {
            var reply = AdminReply.problem(.methodNotAllowed, resource == .explain ? "use POST" : "use GET")
            reply.headers.append(("Allow", resource.methods))
            return reply
        }
        guard resource.isForProbes || BrowserGuard.knowsHost(request.headers, own: self.ownName) else {
            return .problem(
                .forbidden, "ask by an IP address or as localhost: a site of another name may not see this")
        }
        return await self.reply(with: resource, to: request)
    }

    private func reply(with resource: AdminResource, to request: AdminRequest) async -> AdminReply {
        switch resource {
        case .health:
            return .json(.ok, .members([("status", .string("ok"))]))
        case .readiness:
            let readiness = await self.source.readiness()
            return .json(readiness.isReady ? .ok : .serviceUnavailable, readiness.json)
        case .metrics:
            let text = await self.source.metrics()
            return AdminReply(status: .ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: text)
        case .policy:
            return AdminReply(status: .ok, contentType: "application/json", body: await self.source.policy() + "\n")
        case .page:
            return StatusPage.reply
        case .status:
            let known = request.parameter("configuration").map { String($0) }
            return .json(.ok, await self.source.status(known: known))
        case .explain:
            return await self.explanations.reply(to: request, self.source)
        }
    }
}

/// An answer to an admin request.
struct AdminReply: Sendable {
    var status: HTTPResponseStatus
    var contentType: String
    var body: String
    /// Besides those that every answer has.
    var headers: [(name: String, value: String)] = []

    static func json(_ status: HTTPResponseStatus, _ value: JSONValue) -> AdminReply {
        AdminReply(status: status, contentType: "application/json", body: value.serialized() + "\n")
    }

    /// Why there is no better answer: a sentence.
    static func problem(_ status: HTTPResponseStatus, _ sentence: String) -> AdminReply {
        .json(status, .members([("error", .string(sentence))]))
    }
}

/// Where the admin listener gets what it shows.
protocol AdminSource: Sendable {
    func readiness() async -> Readiness
    func metrics() async -> String
    func policy() async -> String
    /// What the status page shows (`StatusDocument`).
    ///
    /// - Parameter known: the configuration whose policy the asker has: the policy is left out if that is in force.
    func status(known: String?) async -> JSONValue
    /// What `postern explain --format json` prints, by the policy in force.
    func explain(_ request: ExplainRequest) async -> String
}
