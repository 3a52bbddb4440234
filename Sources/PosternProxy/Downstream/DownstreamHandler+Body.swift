import NIOCore
import PosternCore

// Passes request bodies on as they come: plain bodies as the slices they were read in, chunked ones with framing made anew.
extension DownstreamHandler {
    func forwardBody(_ buffer: inout ByteBuffer) {
        let before = buffer.readerIndex
        while self.exchange.readsBody {
            var body = self.body
            let step = body.next(buffer.readableBytesSpan, from: 0)
            self.body = body
            switch step {
            case .data(let range):
                buffer.moveReaderIndex(forwardBy: range.lowerBound)
                guard let slice = buffer.readSlice(length: range.count) else { return }
                guard self.acceptData(slice) else { return }
            case .needMore:
                buffer.moveReaderIndex(to: buffer.writerIndex)
                self.bodyProgressed(buffer.readerIndex - before)
                return
            case .complete(let end):
                buffer.moveReaderIndex(forwardBy: end)
                self.bodyProgressed(buffer.readerIndex - before)
                self.bodyEnded()
                return
            case .problem(let problem):
                self.refusal = Refusal(problem)
                buffer.moveReaderIndex(to: buffer.writerIndex)
                let code = Refusal(problem).code
                self.step { $0.bodyRefused(code) }
                return
            }
        }
    }

    private func acceptData(_ slice: ByteBuffer) -> Bool {
        self.bodyBytes &+= Int64(slice.readableBytes)
        if let limit = self.bodyLimit, self.bodyBytes > limit {
            self.refusal = .bodyTooLarge
            self.step { $0.bodyRefused(.contentTooLarge) }
            return false
        }
        guard let upstream else { return false }
        if self.bodyIsChunked {
            upstream.writeChunk(slice)
        } else {
            upstream.write(slice)
        }
        return true
    }

    private func bodyProgressed(_ count: Int) {
        self.record.bytesIn &+= Int64(count)
        // Once both sides talk, the one's message does not shorten the time that the other has.
        if self.exchange.state == .forwarding(.streaming) { return self.responseProgressed() }
        self.setDeadline(self.loop.now &+ self.snapshot.timeouts.bodyIdle)
    }

    private func bodyEnded() {
        if self.bodyIsChunked {
            let trailers = self.body.trailers
            guard !self.snapshot.gate.spoofs(trailers: trailers) else {
                self.record.spoofed = true
                self.loop.metrics.spoofedRequests &+= 1
                self.refusal = Refusal(HTTPProblem.malformed(.trailer))
                self.step { $0.bodyRefused(.badRequest) }
                return
            }
            self.upstream?.append { ChunkEncoder.appendEnd(trailers: trailers, to: &$0) }
        }
        self.note { $0.requestEnded() }
        if self.exchange.state == .forwarding(.awaited) {
            self.setDeadline(self.loop.now &+ self.responseTimeout)
        } else {
            self.responseProgressed()
        }
    }
}
