import NIOCore
import PosternCore

/// Follows what the library writes of a connection of HTTP/2, frames one by one and the content of DATA behind its header, and
/// says what of it is larger than every peer takes.
struct FrameCutter {
    /// What becomes of a piece that the library wrote.
    enum Step {
        /// It goes out as it is: a frame of this type, or its header.
        case frame(type: UInt8)
        /// It goes out as it is: the content of the frame before.
        case content
        /// Nothing goes out: it is the header of DATA that is cut when its content comes.
        case held
        /// This payload goes out in several frames.
        case cut(LargeFrame, ByteBuffer)
    }

    /// Whether what is written next is the content of a frame whose header was written.
    private(set) var contentFollows = false
    /// DATA that is too large, whose header was held back.
    private var large: LargeFrame?

    /// Takes the next piece: a whole frame, the header of DATA, or content. A client's preface is like a frame of an unknown
    /// type.
    mutating func next(_ buffer: ByteBuffer) -> Step {
        guard !self.contentFollows else {
            self.contentFollows = false
            guard let large = self.large.take() else { return .content }
            return .cut(large, buffer)
        }
        let frame = buffer.readableBytesSpan
        let type = frame.byte(3)
        self.contentFollows = type == 0
        guard let large = LargeFrame(frame) else { return .frame(type: type) }
        guard !large.isContent else {
            self.large = large
            return .held
        }
        var payload = buffer
        payload.moveReaderIndex(forwardBy: LargeFrame.headerLength)
        return .cut(large, payload)
    }
}

extension LoopConnection {
    /// Writes a frame, or content.
    ///
    /// - Parameter promise: for its end.
    func writeWhole(_ buffer: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        if let promise { self.write(buffer, promise) } else { self.write(buffer) }
    }

    /// Writes a HEADERS frame.
    ///
    /// - Parameter promise: for its end.
    func writeFields(_ frame: [UInt8], _ promise: EventLoopPromise<Void>?) {
        if let large = LargeFrame(frame.span.bytes) {
            self.write(large, ByteBuffer(bytes: frame.dropFirst(LargeFrame.headerLength)), promise)
        } else if let promise {
            self.write(ByteBuffer(bytes: frame), promise)
        } else if self.context != nil {
            self.append { $0.append(contentsOf: frame) }
        }
        if !self.isWritable { self.flushNow() }
    }

    /// Writes a frame in pieces.
    ///
    /// - Parameter promise: for the end of the last one.
    @inline(never)
    func write(_ large: LargeFrame, _ payload: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        var payload = payload
        for start in large.starts {
            self.write(large.header(from: start))
            guard let piece = payload.readSlice(length: large.count(from: start)) else {
                preconditionFailure("a frame has the length that its header says")
            }
            self.writeWhole(piece, payload.readableBytes == 0 ? promise : nil)
        }
    }
}
