import NIOCore

/// What stands between the frames of a session and the socket, or TLS: gathers what all streams write in one turn of the
/// loop into one write.
final class UpstreamSessionWire: LoopConnection, ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = ByteBuffer

    private var cutter = FrameCutter()
    /// Fields of requests that the library does not know of.
    var rawFields = RawFields()

    func handlerAdded(context: ChannelHandlerContext) {
        self.attach(context)
        if context.channel.isActive { self.opened(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.detach()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.closed()
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .byteBuffer(let buffer) = self.unwrapOutboundIn(data) else {
            preconditionFailure("frames are buffers")
        }
        if !self.cutter.contentFollows {
            switch self.rawFields.take(for: buffer.readableBytesSpan) {
            case .other: break
            case .whole(let frame):
                self.writeFields(frame, nil)
                promise?.succeed()
                return
            case .lost:
                promise?.fail(ChannelError.ioOnClosedChannel)
                return self.breakOff()
            }
        }
        switch self.cutter.next(buffer) {
        case .held: break
        case .cut(let large, let payload): self.write(large, payload, nil)
        case .frame, .content: self.write(buffer)
        }
        // Whoever asks wants to know whether the library took the frame: it did.
        promise?.succeed()
        if !self.isWritable { self.flushNow() }
    }

    /// What was written goes out when the turn ends.
    func flush(context: ChannelHandlerContext) {}

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        self.flushNow()
        context.close(mode: mode, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.noteDrained() }
        context.fireChannelWritabilityChanged()
    }
}
