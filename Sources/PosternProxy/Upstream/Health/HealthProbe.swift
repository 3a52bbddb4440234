import NIOCore
import PosternCore

/// Asks one service whether it is well, on a new connection each time: the same address, TLS and certificate as requests
/// have, and a request of Postern's own.
struct HealthProbe: Sendable {
    /// How a check ended.
    enum Outcome: Equatable, Sendable {
        case well
        /// Why not, in a few words.
        case failed(String)
    }

    let path: String
    private let upstream: UpstreamTarget
    private let request: [UInt8]
    private let names: NameDirectory
    private let eventLoop: any EventLoop

    init(_ upstream: UpstreamTarget, path: String, names: NameDirectory, eventLoop: any EventLoop) {
        self.path = path
        self.upstream = upstream
        self.names = names
        self.eventLoop = eventLoop
        let authority =
            switch upstream.address {
            case .unix: "localhost"
            case .host(let host, let port):
                HealthRequest.authority(of: host, port: port, isSecured: upstream.tls != nil)
            }
        self.request = HealthRequest.bytes(path: path, authority: authority, version: PosternVersion.current)
    }

    /// Asks once. `deadline`: of the monotonic clock, in nanoseconds.
    func ask(until deadline: Int64) async -> Outcome {
        let answer = self.eventLoop.makePromise(of: Outcome.self)
        self.eventLoop.execute { self.open(until: deadline, answer) }
        return (try? await answer.futureResult.get()) ?? .failed("the check was abandoned")
    }

    private func open(until deadline: Int64, _ answer: EventLoopPromise<Outcome>) {
        let time = max(1_000_000, deadline - SystemClock.monotonic)
        let dial = UpstreamDial(self.upstream.address, eventLoop: self.eventLoop, names: self.names)
        let future = dial.connect(timeout: min(time, self.upstream.connectTimeout)) { channel in
            channel.eventLoop.makeCompletedFuture { try self.initialize(channel) }
        }
        let eventLoop = self.eventLoop
        let end = NIODeadline.now() + .nanoseconds(time)
        future.whenComplete { result in
            switch result {
            case .failure(let error):
                answer.succeed(.failed(TLSTrouble.describe(error)))
            case .success(let channel):
                // A channel that is closed already has no handler any more.
                guard let handler = try? channel.pipeline.syncOperations.handler(type: HealthProbeHandler.self) else {
                    return answer.succeed(.failed("the connection was closed"))
                }
                handler.begin { answer.succeed($0) }
                let bound = NIOLoopBound(handler, eventLoop: eventLoop)
                let limit = eventLoop.scheduleTask(deadline: end) { bound.value.timeIsOver() }
                channel.closeFuture.whenComplete { _ in limit.cancel() }
            }
        }
    }

    /// What speaks with the service stands last and knows only HTTP/1.1: whatever another protocol needs goes before it.
    private func initialize(_ channel: any Channel) throws {
        let handler = HealthProbeHandler(self.request, tls: self.upstream.tls)
        if let tls = self.upstream.tls { try channel.pipeline.syncOperations.addHandler(try tls.handlers().0) }
        if self.upstream.applicationProtocol != .http1 {
            let frames = HealthProbeFrames(self.upstream.applicationProtocol, overTLS: self.upstream.tls != nil)
            try channel.pipeline.syncOperations.addHandler(frames)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}
