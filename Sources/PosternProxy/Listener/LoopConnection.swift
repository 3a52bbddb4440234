import NIOCore
import PosternCore

/// A connection of an event loop: it has a deadline, and what is written to it in one turn of the loop goes out at the end
/// of that turn, or of what was read in it. A base class, not a protocol, so that lists of connections hold plain references.
///
/// What is small is gathered in `out` and given to the kernel directly. The channel gets what the kernel does not take,
/// and slices that are worth a write of their own; until it is rid of them everything goes its way, so that bytes never
/// overtake each other.
class LoopConnection {
    /// What stands between this handler and the socket.
    enum Wire {
        /// Nothing: what is written is what goes over the wire.
        case plain
        /// TLS that is not there yet. Legal exit: secured.
        case handshaking
        /// TLS.
        case secured
        /// A stream of HTTP/2: a codec makes frames of what is written, and closing ends the stream alone.
        case stream
    }

    let loop: LoopContext
    private(set) var wire: Wire
    private(set) var context: ChannelHandlerContext?
    /// The channel of `context`: asking that for it costs more than asking the channel.
    private(set) var channel: (any Channel)?
    /// The socket, while it is open and nothing else (such as TLS) stands between it and the handler.
    private var socket: SocketSend?
    /// What was written in this turn; the memory is the loop's while there is nothing.
    private var out: [UInt8] = []
    /// Whether the channel was given slices since the last flush.
    private var hasSlices = false
    /// Whether what was written goes out when the read that led to it was dealt with, and not at the end of the loop's turn: no
    /// other request is under way, whose bytes it could go with. Otherwise it is cheaper to read all that is ready before
    /// anything is sent.
    private var goesAtOnce = false
    /// Whether somebody else keeps what `out` holds.
    private var isOutShared = false
    /// Whether this connection is among those that the loop flushes at the end of the turn.
    private var isListed = false
    /// Whether the channel may still hold bytes that it could not write.
    private var channelHolds = false
    private var timer: DeadlineWheel.Entry?
    /// When the owner is to be told that its time is over; `Int64.max`: never.
    private(set) var deadline = Int64.max
    /// When the wheel looks at this connection: never after `deadline`.
    fileprivate(set) var watched = Int64.max

    /// Whether the kernel took no more because the connection is broken.
    private var wasRefused = false

    /// Bytes that wait in one turn before what leads to more is held up.
    private static let outLimit = 64 * 1024
    /// Slices up to this size are copied behind what is to be written, which costs less than a write of their own.
    static let copyLimit = 8 * 1024

    init(loop: LoopContext, wire: Wire = .plain) {
        self.loop = loop
        self.wire = wire
    }

    // MARK: - Life

    /// The handler is in its channel.
    final func attach(_ context: ChannelHandlerContext) {
        self.context = context
        self.channel = context.channel
        self.timer = self.loop.addTimed(self)
    }

    /// The channel's socket is open.
    final func opened(_ context: ChannelHandlerContext) {
        self.socket = self.wire == .plain ? SocketSend(context.channel) : nil
    }

    /// The handshake is over.
    final func secured() {
        self.wire = .secured
    }

    /// The channel's socket is closed.
    final func closed() {
        self.socket = nil
        self.out = []
        self.goesAtOnce = false
    }

    /// The handler is out of its channel.
    final func detach() {
        self.closed()
        if let timer { self.loop.removeTimed(timer) }
        self.timer = nil
        self.context = nil
        self.channel = nil
    }

    // MARK: - Time

    /// The connection's deadline is over.
    func deadlinePassed(now: Int64) {}

    /// Sets the deadline. One that only moves further away, as with nearly every step of a request, is a store: the
    /// wheel looks at its old time and finds the new one.
    final func setDeadline(_ deadline: Int64) {
        self.deadline = deadline
        guard deadline < self.watched, let timer else { return }
        self.watched = deadline
        self.loop.watch(timer, deadline)
    }

    /// The wheel has come to `watched`.
    final func looked(now: Int64) {
        self.watched = .max
        let deadline = self.deadline
        guard deadline <= now else { return self.setDeadline(deadline) }
        self.deadline = .max
        self.deadlinePassed(now: now)
    }

    // MARK: - Writing

    /// Whether what is written is also taken: neither this turn nor the channel has much that waits.
    final var isWritable: Bool {
        guard let context, self.out.count < Self.outLimit else { return false }
        return !self.channelHolds || context.channel.isWritable
    }

    /// Whether some of what was written did not reach the kernel, as far as the last `noteDrained` of the open channel knows.
    final var hasUnsent: Bool { self.wasRefused || self.channelHolds || !self.out.isEmpty }

    /// Takes back what was written, if all of it is still here; nil: some of it may have gone out.
    final func takeUnsent() -> [UInt8]? {
        guard !self.channelHolds, !self.out.isEmpty else { return nil }
        let out = self.out
        self.out = []
        return out
    }

    /// Whether something was written and stays here until the end of the loop's turn. Streams share a connection, slices a
    /// gathered write.
    final var waitsForTurn: Bool { self.isListed && (!self.goesAtOnce || self.hasSlices || self.wire == .stream) }

    /// Says whether what was written in this turn need not wait for its end.
    final func goAtOnce(if may: Bool) {
        self.goesAtOnce = may
        if may { self.loop.noteUrgent() }
    }

    /// Whether the kernel has nothing of the peer that was not read; false where that is not known.
    final var isSilent: Bool {
        guard let socket, let context, context.channel.isActive else { return false }
        return socket.hasNothingToRead
    }

    /// Sends what was written before the end of the read that led to it, if it need not wait: what else is done for the
    /// exchange then happens while the peer is at work already.
    final func sendBeforeTheRest() {
        if self.loop.isReading, self.isListed, !self.waitsForTurn { self.flushNow() }
    }

    /// Takes notice if the channel has written what it was given.
    final func noteDrained() {
        guard self.channelHolds, let context else { return }
        // TLS and streams keep what they were not told to write out, and the channel does not know of it.
        if self.isListed, self.wire != .plain { return }
        self.channelHolds = self.channelStillHolds(context)
    }

    /// What was written has gone out, after so much was waiting that `isWritable` said no.
    func drained() {}

    /// Takes what was written in this turn so far, to append to it; `giveBack` must follow.
    @inline(__always)
    final func takeOut() -> [UInt8] {
        if !self.isListed {
            self.isListed = true
            self.loop.needsFlush(self)
            return self.loop.takeBuffer()
        }
        let bytes = self.out
        self.out = []
        return bytes
    }

    /// Ends a `takeOut`.
    @inline(__always)
    final func giveBack(_ bytes: consuming [UInt8]) {
        self.out = bytes
    }

    /// Appends to what is written.
    @inline(__always)
    final func append(_ body: (inout [UInt8]) -> Void) {
        var out = self.takeOut()
        body(&out)
        self.giveBack(out)
    }

    /// Writes bytes.
    final func write(_ bytes: [UInt8]) {
        guard self.context != nil else { return }
        guard self.isListed else {
            self.isListed = true
            self.out = bytes
            return self.loop.needsFlush(self)
        }
        var out = self.takeOut()
        out.append(contentsOf: bytes)
        self.giveBack(out)
    }

    /// Writes bytes that the caller keeps, too.
    final func write(keeping bytes: [UInt8]) {
        self.isOutShared = true
        self.write(bytes)
    }

    /// Writes a slice of what was read.
    final func write(_ slice: ByteBuffer) {
        guard let context else { return }
        if slice.readableBytes <= Self.copyLimit {
            var out = self.takeOut()
            out.append(slice.readableBytesSpan)
            return self.giveBack(out)
        }
        // One gathered write of many slices costs less than a write for each.
        if !self.out.isEmpty {
            let out = self.out
            self.out = []
            self.hold(ByteBuffer(bytes: out), context)
        }
        self.hold(slice, context)
        self.hasSlices = true
    }

    /// Writes bytes, and tells when they are with the kernel.
    final func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        if !self.out.isEmpty {
            let out = self.out
            self.out = []
            self.hold(ByteBuffer(bytes: out), context)
        }
        self.hold(bytes, context, promise)
    }

    /// Slices are written out when all that came with them was read: they are still in the processor's cache then.
    final func flushSlices() {
        if self.hasSlices { self.flushNow() }
    }

    /// Gives what was written to the kernel, and what that does not take to the channel. Returns whether the kernel has
    /// it all.
    @discardableResult
    final func flushNow() -> Bool {
        guard self.isListed else {
            self.noteDrained()
            return !self.channelHolds
        }
        self.willFlush()
        self.hasSlices = false
        self.goesAtOnce = false
        let wasFull = self.out.count >= Self.outLimit
        guard self.wire == .plain else { return self.flushThroughTLS(wasFull: wasFull) }
        let isDone = self.sendOut()
        // The flush may call back, and what is written then is for the next one.
        self.isListed = false
        if !isDone { self.context?.flush() }
        // In a turn of its own: others are to get their bytes first. If the channel is full, it says when it is not.
        if wasFull, self.isWritable { self.loop.drainedLater(self) }
        return isDone
    }

    /// The same where TLS, or a codec, makes something else of what was written. All of it goes through the channel then.
    private final func flushThroughTLS(wasFull: Bool) -> Bool {
        guard let context else {
            self.isListed = false
            return false
        }
        if !self.out.isEmpty {
            let out = self.out
            self.out = []
            self.hold(ByteBuffer(bytes: out), context)
            if !self.isOutShared { self.loop.giveBuffer(consume out) }
            self.isOutShared = false
        }
        self.isListed = false
        context.flush()
        self.noteDrained()
        if wasFull, self.isWritable { self.loop.drainedLater(self) }
        return !self.channelHolds
    }

    /// Calls back when everything that was written so far is with the kernel, or cannot be any more.
    final func whenWritten(_ body: @escaping @Sendable () -> Void) {
        guard let context else { return }
        self.flushNow()
        // Writes of a channel are done in their order.
        context.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in body() }
    }

    /// What was written goes out now.
    func willFlush() {}

    /// Sends `out`. Returns whether all of it, and all that was written before, is with the kernel.
    private final func sendOut() -> Bool {
        guard self.context != nil else { return false }
        self.noteDrained()
        guard !self.out.isEmpty else { return !self.channelHolds }
        let out = self.out
        self.out = []
        var sent = 0
        if !self.channelHolds, let socket, self.channel?.isActive == true {
            let taken = socket(out.span.bytes)
            if taken == nil { self.wasRefused = true }
            sent = taken ?? 0
            if sent == out.count {
                if !self.isOutShared { self.loop.giveBuffer(consume out) }
                self.isOutShared = false
                return true
            }
        }
        self.isOutShared = false
        if let context { self.hold(ByteBuffer(bytes: out[sent...]), context) }
        return false
    }

    private final func hold(
        _ buffer: ByteBuffer, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil
    ) {
        self.channelHolds = true
        context.write(NIOAny(buffer), promise: promise)
        if !self.isListed {
            self.isListed = true
            self.loop.needsFlush(self)
        }
    }

    // MARK: - Reading

    /// Asks for the next bytes when those that came were dealt with. The channel would do it itself, by way of the whole pipeline,
    /// which costs several times as much.
    @inline(__always)
    final func readOn(_ context: ChannelHandlerContext, if may: Bool) {
        if may, self.wire == .plain { context.read() }
    }

    // MARK: - End

    /// Ends what is sent once all of it is out: TLS says so to the peer (close_notify, RFC 8446 section 6.1), then the
    /// socket. Calls `then` when that is done, or cannot be.
    ///
    /// - Parameter isWhole: false where what was written breaks off: TLS does not say that it is all, then.
    final func closeOutput(isWhole: Bool = true, _ then: @escaping @Sendable () -> Void) {
        guard let context else { return then() }
        if self.wire == .plain || (self.wire == .stream && isWhole) {
            return context.close(mode: .output).whenComplete { _ in then() }
        }
        // TLS closes at once if the peer has said goodbye before: what the channel still holds would be lost.
        let bound = NIOLoopBound(context, eventLoop: self.loop.eventLoop)
        context.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in
            guard isWhole else { return then() }
            bound.value.close(mode: .output).whenComplete { _ in then() }
        }
    }

    /// Closes the connection now. Over TLS the peer is told that this is on purpose; its answer is not waited for.
    final func closeNow() {
        if self.wire == .secured { self.context?.close(mode: .output, promise: nil) }
        self.breakOff()
    }

    /// Breaks the connection: nobody takes what came before for whole, with TLS or without.
    final func reset() {
        if let context { SocketReset.arm(context.channel) }
        self.breakOff()
    }

    /// Closes the connection now without a word: over TLS that says that what came before may not be whole.
    final func breakOff() {
        switch self.wire {
        case .plain, .stream: self.context?.close(promise: nil)
        case .handshaking, .secured: self.context?.closeSocket()
        }
    }

    private final func channelStillHolds(_ context: ChannelHandlerContext) -> Bool {
        // A stream does not say how much it holds, only that it is much.
        if self.wire == .stream { return !context.channel.isWritable }
        let held = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        return held != 0
    }
}
