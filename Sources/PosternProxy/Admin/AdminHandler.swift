import NIOCore
import NIOHTTP1

/// One admin connection.
final class AdminHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let server: AdminServer
    private var head: HTTPRequestHead?
    /// What came of the body of a POST; nil if it is too long.
    private var body: [UInt8]? = []

    init(server: AdminServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body = []
        case .body(let bytes):
            guard self.head?.method == .POST, let count = self.body?.count else { return }
            if count + bytes.readableBytes > AdminRequest.bodyLimit {
                self.body = nil
            } else {
                self.body?.append(contentsOf: bytes.readableBytesView)
            }
        case .end:
            guard let head = self.head else { return }
            let request = AdminRequest(head, body: self.body)
            self.head = nil
            self.body = []
            self.respond(to: request, isHead: head.method == .HEAD, isKeepAlive: head.isKeepAlive, context)
        }
    }

    private func respond(
        to request: AdminRequest, isHead: Bool, isKeepAlive: Bool, _ context: ChannelHandlerContext
    ) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let server = self.server
        let eventLoop = context.eventLoop
        Task {
            let reply = await server.reply(to: request)
            eventLoop.execute {
                let (handler, context) = bound.value
                handler.write(reply, withBody: !isHead, isKeepAlive: isKeepAlive, context)
            }
        }
    }

    private func write(_ reply: AdminReply, withBody: Bool, isKeepAlive: Bool, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: reply.body)
        var response = HTTPResponseHead(version: .http1_1, status: reply.status)
        response.headers.add(name: "Content-Type", value: reply.contentType)
        response.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        response.headers.add(name: "Cache-Control", value: "no-store")
        response.headers.add(name: "X-Content-Type-Options", value: "nosniff")
        for header in reply.headers { response.headers.add(name: header.name, value: header.value) }
        if !isKeepAlive { response.headers.add(name: "Connection", value: "close") }
        context.write(self.wrapOutboundOut(.head(response)), promise: nil)
        if withBody { context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil))).whenComplete { _ in
            if !isKeepAlive { bound.value.close(promise: nil) }
        }
    }
}
