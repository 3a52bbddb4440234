import NIOCore
import NIOHTTP1
import NIOPosix
import PosternCore

/// The admin listener: liveness, readiness, metrics and the effective policy. Not on the path of any request.
struct AdminServer: Sendable {
    /// What a listener offers.
    enum Scope: Sendable {
        /// Everything.
        case admin
        /// Only what kubelet and Prometheus ask for.
        case status
    }

    /// An answer to an admin request.
    struct Reply: Sendable {
        var status: HTTPResponseStatus
        var contentType: String
        var body: String

        static func json(_ status: HTTPResponseStatus, _ value: JSONValue) -> Reply {
            Reply(status: status, contentType: "application/json", body: value.serialized() + "\n")
        }
    }

    let scope: Scope
    let source: any AdminSource

    /// Opens the listener on `eventLoop`.
    ///
    /// - Parameter shares: whether there may be another process on the address: one that this one takes over.
    func open(
        _ address: Address, on eventLoop: any EventLoop, shares: Bool = false
    ) async throws(Listeners.Failure) -> OpenListener {
        let bootstrap = ServerBootstrap(group: eventLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(AdminHandler(server: self))
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

    /// The reply to a request for `path`, or nil if there is nothing.
    func reply(to path: String) async -> Reply? {
        switch (path, self.scope) {
        case ("/healthz", _):
            return .json(.ok, .object([.init(name: "status", value: .string("ok"))]))
        case ("/readyz", _):
            let readiness = await self.source.readiness()
            return .json(readiness.isReady ? .ok : .serviceUnavailable, readiness.json)
        case ("/metrics", _):
            let text = await self.source.metrics()
            return Reply(status: .ok, contentType: "text/plain; version=0.0.4; charset=utf-8", body: text)
        case ("/policy", .admin):
            return Reply(status: .ok, contentType: "application/json", body: await self.source.policy() + "\n")
        default:
            return nil
        }
    }
}

/// Whether the process can serve, and what is missing.
struct Readiness: Sendable {
    /// Whether every listener is open.
    var listening: Bool
    var draining: Bool
    /// Names of issuers whose keys have not been had.
    var issuersWithoutKeys: [String]
    /// Whether an issuer has `revocation: required`, and revocations are not heard of.
    var missesRevocations = false
    /// The service behind the proxy, if it is asked whether it is well and did not say so.
    var unhealthyUpstream: String?

    var isReady: Bool {
        self.listening && !self.draining && self.issuersWithoutKeys.isEmpty && !self.missesRevocations
            && self.unhealthyUpstream == nil
    }

    var json: JSONValue {
        var missing: [JSONValue] = self.issuersWithoutKeys.map {
            .object([.init(name: "part", value: .string("keys")), .init(name: "issuer", value: .string($0))])
        }
        if self.missesRevocations { missing.append(.object([.init(name: "part", value: .string("revocations"))])) }
        if let url = self.unhealthyUpstream {
            missing.append(
                .object([.init(name: "part", value: .string("upstream")), .init(name: "upstream", value: .string(url))])
            )
        }
        if !self.listening { missing.append(.object([.init(name: "part", value: .string("listeners"))])) }
        if self.draining { missing.append(.object([.init(name: "part", value: .string("draining"))])) }
        return .object([
            .init(name: "status", value: .string(self.isReady ? "ready" : "not ready")),
            .init(name: "missing", value: .array(missing)),
        ])
    }
}

/// Where the admin listener gets what it shows.
protocol AdminSource: Sendable {
    func readiness() async -> Readiness
    func metrics() async -> String
    func policy() async -> String
}

/// One admin connection.
final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let server: AdminServer
    private var head: HTTPRequestHead?

    init(server: AdminServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
        case .body:
            break
        case .end:
            guard let head = self.head else { return }
            self.head = nil
            self.respond(to: head, context)
        }
    }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let server = self.server
        let path = String(head.uri.prefix { $0 != "?" })
        let allowed = head.method == .GET || head.method == .HEAD
        let eventLoop = context.eventLoop
        Task {
            var reply = await server.reply(to: path)
            if reply != nil, !allowed {
                reply = .json(
                    .methodNotAllowed, .object([.init(name: "error", value: .string("use GET"))]))
            }
            let missing = AdminServer.Reply.json(
                .notFound, .object([.init(name: "error", value: .string("there is nothing at this path"))]))
            let answer = reply ?? missing
            eventLoop.execute {
                let (handler, context) = bound.value
                handler.write(answer, to: head, context)
            }
        }
    }

    private func write(_ reply: AdminServer.Reply, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: reply.body)
        var response = HTTPResponseHead(version: .http1_1, status: reply.status)
        response.headers.add(name: "Content-Type", value: reply.contentType)
        response.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        response.headers.add(name: "Cache-Control", value: "no-store")
        if reply.status == .methodNotAllowed { response.headers.add(name: "Allow", value: "GET, HEAD") }
        if !head.isKeepAlive { response.headers.add(name: "Connection", value: "close") }
        context.write(self.wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD { context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenComplete { _ in
            if !head.isKeepAlive { bound.value.close(promise: nil) }
        }
    }
}
