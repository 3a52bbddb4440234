import NIOCore
import NIOHTTP1
import NIOPosix
import PosternCore
import Synchronization

/// An issuer's HTTP server: each request waits until the test answers it, so that the test decides what is in flight.
final class KeyServer: Sendable {
    /// A request that waits for its answer.
    struct Request: Sendable {
        let head: HTTPRequestHead
        let body: String
        fileprivate let channel: any Channel

        func answer(_ body: String, status: HTTPResponseStatus = .ok, headers: HTTPHeaders = [:]) {
            let channel = self.channel
            channel.eventLoop.execute {
                var head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
                let buffer = ByteBuffer(string: body)
                if !headers.contains(name: "Transfer-Encoding") {
                    head.headers.add(name: "Content-Length", value: "\(buffer.readableBytes)")
                }
                let pipeline = channel.pipeline.syncOperations
                pipeline.write(NIOAny(HTTPServerResponsePart.head(head)), promise: nil)
                pipeline.write(NIOAny(HTTPServerResponsePart.body(.byteBuffer(buffer))), promise: nil)
                pipeline.writeAndFlush(NIOAny(HTTPServerResponsePart.end(nil)), promise: nil)
            }
        }

        func answer(_ keys: JSONValue) { self.answer(keys.serialized()) }

        /// Closes the connection instead.
        func drop() { self.channel.close(promise: nil) }
    }

    struct Ended: Error {}

    let url: String
    private let channel: any Channel
    private let requests: AsyncStream<Request>
    private let received: Received

    /// What came so far.
    private final class Received: Sendable {
        let paths = Mutex<[String]>([])
    }

    init() async throws {
        let (requests, continuation) = AsyncStream.makeStream(of: Request.self)
        let received = Received()
        self.requests = requests
        self.received = received
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { head, body in
                            received.paths.withLock { $0.append(head.uri) }
                            continuation.yield(Request(head: head, body: String(buffer: body), channel: channel))
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.url = "http://127.0.0.1:\(self.channel.localAddress?.port ?? 0)"
    }

    deinit { self.channel.close(promise: nil) }

    /// The targets of all requests so far.
    var paths: [String] { self.received.paths.withLock { $0 } }

    /// The next request that came, or that comes.
    func next() async throws -> Request {
        for await request in self.requests { return request }
        throw Ended()
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        private let received: (HTTPRequestHead, ByteBuffer) -> Void
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(_ received: @escaping (HTTPRequestHead, ByteBuffer) -> Void) {
            self.received = received
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch self.unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(var part): self.body.writeBuffer(&part)
            case .end:
                guard let head = self.head.take() else { return }
                self.received(head, self.body)
                self.body.clear()
            }
        }
    }
}
