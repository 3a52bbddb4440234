import NIOCore
import PosternCore

/// Stands before the library that reads the frames of an HTTP/2 connection and gives it none in parts, DATA apart: see
/// `FrameTail`. Holds at most one frame. Also has the peer allow frames of any size (see `LargeFrame`), and takes
/// from the library what is done faster here (see `PlainFields`).
final class WholeFramesHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var tail: FrameTail
    /// The beginning of a frame.
    private var held: ByteBuffer?
    /// Whether the peer's first settings came.
    private var isSettled = false
    /// Makes a client's fields plain; nil: the peer is a service.
    private var plainFields: PlainFields?

    /// - Parameter fromClient: the peer is a client, which begins with the connection preface.
    init(fromClient: Bool) {
        self.tail = FrameTail(preface: fromClient ? 24 : 0)
        self.plainFields = fromClient ? PlainFields() : nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = self.unwrapInboundIn(data)
        let passing = self.tail.passing
        let unfinished = self.tail.take(bytes.readableBytesSpan)
        if unfinished == 0, self.held == nil, !self.tail.sawSettings {
            guard let plain = self.plainFields?.rewrite(bytes.readableBytesSpan, from: passing) else {
                return context.fireChannelRead(data)
            }
            return context.fireChannelRead(self.wrapInboundOut(ByteBuffer(bytes: plain)))
        }
        if var whole = self.held {
            self.held = nil
            whole.writeBuffer(&bytes)
            bytes = whole
        }
        if unfinished > 0 {
            // A copy, so that what is held is no more than it is.
            let place = bytes.writerIndex - unfinished
            var held = context.channel.allocator.buffer(capacity: unfinished)
            held.writeBytes(bytes.readableBytesSpan.extracting(last: unfinished))
            self.held = held
            bytes.moveWriterIndex(to: place)
        }
        if self.tail.sawSettings {
            // What is held may be the frame that was seen.
            self.tail.sawSettings = unfinished > 0
            var settled = Array(buffer: bytes)
            SettingsFrames.allowLargeFrames(in: &settled, from: passing, wasSaid: &self.isSettled)
            bytes = ByteBuffer(bytes: settled)
        }
        if let plain = self.plainFields?.rewrite(bytes.readableBytesSpan, from: passing) {
            bytes = ByteBuffer(bytes: plain)
        }
        if bytes.readableBytes > 0 { context.fireChannelRead(self.wrapInboundOut(bytes)) }
    }
}
