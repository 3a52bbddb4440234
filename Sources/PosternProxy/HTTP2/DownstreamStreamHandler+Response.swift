import NIOCore
import NIOHPACK
import NIOHTTP2
import PosternCore

// What the handler behind writes, as frames; and what its closing means for a stream.
extension DownstreamStreamHandler {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = self.unwrapOutboundIn(data)
        guard bytes.readableBytes > 0 else { return self.mark(promise, context) }
        if var partial = self.partial.take() {
            partial.writeBuffer(&bytes)
            bytes = partial
        }
        while bytes.readableBytes > 0, !self.isClosed {
            guard self.pass(&bytes, context) else { break }
        }
        promise?.succeed(())
    }

    /// Answers a promise when everything that was written before is out.
    private func mark(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        guard let promise else { return }
        guard self.response.hasBegun, !self.response.isEnded, !self.outputEnded, !self.isClosed else {
            return promise.succeed(())
        }
        self.passHeld(endsStream: false, context)
        self.send(.data(.init(data: .byteBuffer(ByteBuffer()))), promise, context)
    }

    /// Passes on what `bytes` begin with. Returns whether there is more to do.
    private func pass(_ bytes: inout ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        let heads = self.loop.streamHeads
        var response = self.response
        let step = heads.next(&response, bytes.readableBytesSpan)
        self.response = response
        switch step {
        case .needMore:
            if !response.hasBegun { self.partial = bytes }
            return false
        case .interim(let status, let end):
            self.passHead(status, bytes, end, endsStream: false, context)
            bytes.moveReaderIndex(forwardBy: end)
        case .head(let status, let end, let isAll):
            self.passHead(status, bytes, end, endsStream: isAll, context)
            bytes.moveReaderIndex(forwardBy: end)
        case .tunnel(let end):
            guard self.openTunnel(bytes, context) else { return false }
            bytes.moveReaderIndex(forwardBy: end)
        case .data(let range, let isAll):
            self.passHeld(endsStream: false, context)
            bytes.moveReaderIndex(forwardBy: range.lowerBound)
            self.held = bytes.readSlice(length: range.count)
            if isAll { self.passHeld(endsStream: true, context) }
        case .end(let end):
            bytes.moveReaderIndex(forwardBy: end)
            self.passEnd(response.trailers, context)
        case .problem:
            self.reset(.internalError, context)
            return false
        }
        return true
    }

    /// Passes a 101 on as the 200 that it is on a stream (RFC 8441 section 5). The service must have answered to the key that
    /// the proxy has asked with (RFC 6455 section 4.1): the client has none to hold it against.
    private func openTunnel(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        let heads = self.loop.streamHeads
        let span = bytes.readableBytesSpan
        if self.tunnel == .webSocket {
            guard heads.webSocketAccept(span) == WebSocketKey.accept(self.webSocketKey) else {
                self.passHead([":status": "502"], endsStream: false, context)
                self.reset(.internalError, context)
                return false
            }
        }
        let fields = heads.responseFields(span, status: 200, acceptsWebSocket: self.tunnel == .webSocket)
        self.passHead(fields, endsStream: false, context)
        self.tunnelOpened(context)
        return true
    }

    // MARK: - Frames

    /// Passes on the head that was read last.
    ///
    /// - Parameter end: how many of `bytes` it has.
    private func passHead(
        _ status: Int, _ bytes: ByteBuffer, _ end: Int, endsStream: Bool, _ context: ChannelHandlerContext
    ) {
        let span = bytes.readableBytesSpan
        self.passHead(
            self.loop.streamHeads.responseFields(span, status: status), endsStream: endsStream, context)
    }

    private func passHead(_ fields: HPACKHeaders, endsStream: Bool, _ context: ChannelHandlerContext) {
        var head = HTTP2Frame.FramePayload.Headers(headers: fields, endStream: endsStream)
        let raw = self.loop.streamHeads.takeRaw()
        if !raw.isEmpty { head.priorityData = self.session?.keep(raw, of: self) }
        if endsStream { self.sendLast(.headers(head), context) } else { self.send(.headers(head), nil, context) }
    }

    /// Content waits until it is known whether more follows: an empty frame for the end costs as much as a full one.
    private func passHeld(endsStream: Bool, _ context: ChannelHandlerContext) {
        guard let held = self.held.take() else { return }
        let frame = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(held), endStream: endsStream))
        if endsStream { self.sendLast(frame, context) } else { self.send(frame, nil, context) }
    }

    private func passEnd(_ trailers: [UInt8], _ context: ChannelHandlerContext) {
        guard trailers.isEmpty else {
            self.passHeld(endsStream: false, context)
            return self.passHead(self.loop.streamHeads.trailerFields(trailers), endsStream: true, context)
        }
        if self.held == nil { self.held = ByteBuffer() }
        self.passHeld(endsStream: true, context)
    }

    /// Sends the frame that ends the response. A client that is not through with its request is told that the rest is not
    /// wanted (RFC 9113 section 8.1), after it has got the response.
    private func sendLast(_ frame: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext) {
        guard self.input != .ended else { return self.send(frame, nil, context) }
        let promise = self.loop.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, context), eventLoop: self.loop.eventLoop)
        promise.futureResult.whenSuccess {
            let (handler, context) = bound.value
            if handler.input != .ended { handler.reset(.noError, context) }
        }
        self.send(frame, promise, context)
    }

    private func send(
        _ frame: HTTP2Frame.FramePayload, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
    ) {
        context.write(self.wrapOutboundOut(frame), promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        self.passHeld(endsStream: false, context)
        context.flush()
    }

    // MARK: - Closing

    /// Closing the output ends a tunnel's, and waits for the end of a response; closing all ends the stream, whatever there
    /// may still be to send.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard !self.isClosed else {
            promise?.succeed(())
            return
        }
        switch mode {
        case .input:
            promise?.succeed(())
        case .output where self.response.isTunnel:
            self.endTunnel(promise, context)
        case .output where self.response.isEnded:
            self.wait(promise)
        case .output, .all:
            self.reset(self.closeCode, context)
            promise?.succeed(())
        }
    }

    private func endTunnel(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        guard !self.outputEnded else {
            promise?.succeed(())
            return
        }
        self.outputEnded = true
        if self.held == nil { self.held = ByteBuffer() }
        guard let held = self.held.take() else { return }
        self.send(.data(.init(data: .byteBuffer(held), endStream: true)), promise, context)
        context.flush()
    }

    private func wait(_ promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let waiting { waiting.futureResult.cascade(to: promise) } else { self.waiting = promise }
    }

    /// What a stream that is closed before its end is closed with: a response that breaks off never looks whole.
    private var closeCode: HTTP2ErrorCode {
        if self.response.isEnded { return self.input == .ended ? .cancel : .noError }
        if self.response.isTunnel || !self.response.hasBegun { return .cancel }
        return .internalError
    }
}
