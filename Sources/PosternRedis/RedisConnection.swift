import NIOCore
import NIOTLS

/// Why a connection is over, or could not be made. The reason is for operators: without secrets, and without what the
/// peer said beyond an error's code.
struct RedisTrouble: Error, Equatable {
    var failure: RedisFailure
    var reason: String
}

/// One connection to Redis: pipelines commands and gives each its reply. The last handler of its channel.
///
/// Commands of one turn of the loop leave in one write. Replies come in the order of the commands, all with the same
/// timeout, so that one timer, set for the oldest, is enough. A command that is not answered in time ends the
/// connection: what comes later could not be told apart from the answers to others.
final class RedisConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Callback = (Result<RedisReply, RedisFailure>) -> Void

    private enum State {
        /// Not begun yet. Goes on to securing, greeting or closed.
        case opening
        /// The TLS handshake is under way and must end by then. Goes on to greeting or closed.
        case securing(NIODeadline)
        /// The greeting was sent. Goes on to ready or closed.
        case greeting
        /// In use. Goes on to closed.
        case ready
        /// Nothing is sent or read any more.
        case closed
    }

    private struct Waiter {
        let deadline: NIODeadline
        let bytes: Int
        let then: Callback
    }

    let address: RedisAddress
    private let times: RedisTimes
    private let usesTLS: Bool
    private var state = State.opening
    private var isSecured = false
    private var context: ChannelHandlerContext?
    private var greeting: RedisGreeting = .none
    private var onReady: ((Result<Void, RedisTrouble>) -> Void)?
    private var trouble: RedisTrouble?

    private var encoder = RedisEncoder()
    private let decoder = RedisDecoder()
    private var out = ByteBuffer()
    private var flushScheduled = false
    private var isReading = false

    private var waiting = CircularBuffer<Waiter>()
    private var waitingBytes = 0
    private var lastHeard = NIODeadline.uptimeNanoseconds(0)
    private var timer: NIOScheduledCallback?
    private var timerDeadline = NIODeadline.distantFuture

    /// Called once when a connection that was ready is over, before what waits on it fails.
    var onEnd: ((RedisTrouble) -> Void)?
    /// Sees each reply first and takes what answers no command: messages of a subscription.
    var takesPush: ((RedisReply) -> Bool)?

    init(address: RedisAddress, times: RedisTimes, usesTLS: Bool) {
        self.address = address
        self.times = times
        self.usesTLS = usesTLS
    }

    /// Whether commands can be sent.
    var isReady: Bool {
        if case .ready = self.state { true } else { false }
    }

    // MARK: - Life

    /// Greets the peer over the channel, which is connected.
    ///
    /// - Parameter then: Called once: with success when the greeting was answered as it must be.
    func begin(_ greeting: RedisGreeting, then: @escaping (Result<Void, RedisTrouble>) -> Void) {
        if let trouble { return then(.failure(trouble)) }
        self.greeting = greeting
        self.onReady = then
        guard let context else { return self.end(.closed, "closed before it was used") }
        if self.usesTLS, !self.isSecured {
            self.state = .securing(context.eventLoop.now + self.times.connect)
            self.arm()
        } else {
            self.greet()
        }
    }

    private func greet() {
        guard let context else { return }
        self.state = .greeting
        self.lastHeard = context.eventLoop.now
        let steps = self.greeting.steps
        guard let last = steps.indices.last else { return self.becomeReady() }
        for (index, step) in steps.enumerated() {
            self.enqueue(step.command) { result in
                // Without a reply the connection is over, and `onReady` knows.
                guard case .success(let reply) = result, case .greeting = self.state else { return }
                if let problem = step.problem(with: reply) {
                    self.end(.unavailable, problem)
                } else if index == last {
                    self.becomeReady()
                }
            }
        }
    }

    private func becomeReady() {
        self.state = .ready
        self.arm()
        self.onReady.take()?(.success(()))
    }

    /// Ends the connection: what waits fails.
    func close() {
        self.end(.closed, "closed")
    }

    /// The reply shows that this is not the Redis to talk to.
    func giveUp(reason: String) {
        self.end(.unavailable, reason)
    }

    private func end(_ failure: RedisFailure, _ reason: String) {
        if case .closed = self.state { return }
        self.state = .closed
        let trouble = RedisTrouble(failure: failure, reason: "\(self.address): \(reason)")
        self.trouble = trouble
        self.timer?.cancel()
        self.timer = nil
        self.context?.close(promise: nil)
        let onEnd = self.onEnd.take()
        self.takesPush = nil
        let waiting = self.waiting
        self.waiting = []
        if let onReady = self.onReady.take() { onReady(.failure(trouble)) } else { onEnd?(trouble) }
        for waiter in waiting { waiter.then(.failure(failure)) }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end(.closed, "closed")
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.closed, "the peer closed the connection")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(.closed, RedisConnector.describe(error))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event {
            self.isSecured = true
            if case .securing = self.state { self.greet() }
        }
    }

    // MARK: - Commands

    /// Sends a command.
    ///
    /// - Parameter then: Called once: at once with ``RedisFailure/unavailable`` if nothing can be sent, else when the
    ///   reply is there, or when there will be none.
    func send(_ command: [[UInt8]], then: @escaping Callback) {
        guard self.isReady, self.waiting.count < RedisLimits.waiting, self.waitingBytes < RedisLimits.waitingBytes
        else { return then(.failure(.unavailable)) }
        self.enqueue(command, then: then)
    }

    private func enqueue(_ command: [[UInt8]], then: @escaping Callback) {
        guard let context else { return then(.failure(.unavailable)) }
        let bytes = self.encoder.append(command, to: &self.out)
        guard bytes > 0 else { return then(.failure(.unavailable)) }
        self.waitingBytes += bytes
        self.waiting.append(Waiter(deadline: context.eventLoop.now + self.times.answer, bytes: bytes, then: then))
        self.arm()
        guard !self.isReading, !self.flushScheduled else { return }
        self.flushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.flushScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard self.out.readableBytes > 0, let context else { return }
        if case .closed = self.state { return }
        // The channel keeps the buffer until the kernel took it.
        let out = self.out
        self.out = context.channel.allocator.buffer(capacity: 0)
        context.writeAndFlush(self.wrapOutboundOut(out), promise: nil)
    }

    // MARK: - Replies

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .closed = self.state { return }
        self.isReading = true
        defer { self.isReading = false }
        let buffer = self.unwrapInboundIn(data)
        do throws(RedisDecoder.Malformed) {
            try self.decoder.feed(buffer.readableBytesSpan)
            while let reply = try self.decoder.next() {
                self.lastHeard = context.eventLoop.now
                self.deliver(reply)
                // A callback may have ended it.
                if case .closed = self.state { return }
            }
        } catch {
            self.end(.protocolError, "what came is no reply, or is over the limits")
        }
    }

    private func deliver(_ reply: RedisReply) {
        if self.takesPush?(reply) == true { return }
        guard let waiter = self.waiting.popFirst() else {
            return self.end(.protocolError, "a reply came that answers nothing")
        }
        self.waitingBytes -= waiter.bytes
        waiter.then(.success(reply))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.flush()
    }
}

// MARK: - Time

extension RedisConnection: NIOScheduledCallbackHandler {
    /// When something is to be done if nothing happens until then.
    private var nextDeadline: NIODeadline? {
        if case .securing(let deadline) = self.state { return deadline }
        if let oldest = self.waiting.first { return oldest.deadline }
        return self.isReady ? self.lastHeard + self.times.quiet : nil
    }

    /// Sees to it that the timer fires in time. One that fires too early is left alone: it looks again.
    private func arm() {
        guard let context, let next = self.nextDeadline else { return }
        if self.timer != nil, self.timerDeadline <= next { return }
        self.timer?.cancel()
        // A loop that is shut down takes no timer, and its channels are closed.
        self.timer = try? context.eventLoop.assumeIsolated().scheduleCallback(at: next, handler: self)
        self.timerDeadline = next
    }

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.timer = nil
        let now = eventLoop.now
        if let next = self.nextDeadline, next <= now {
            if case .securing = self.state { return self.end(.timedOut, "no TLS handshake in time") }
            guard self.waiting.isEmpty else { return self.end(.timedOut, "no answer in time") }
            return self.enqueue([Array("PING".utf8)]) { result in
                // In a subscription the answer is an array.
                if case .success(.error(let text)) = result {
                    self.end(.unavailable, "PING was refused: \(RedisReply.code(ofError: text))")
                }
            }
        }
        self.arm()
    }
}
