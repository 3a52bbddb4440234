import NIOCore
import PosternCore

// What browsers' cross-origin requests get besides: answers to preflights, and CORS lines in other answers.
extension DownstreamHandler {
    /// Answers a preflight: the service never hears of it.
    func answer(_ answer: PreflightAnswer, _ facts: Intake.Facts, _ buffer: inout ByteBuffer) {
        self.keysWereRefetched = false
        self.finding = nil
        if self.loop.intake.spoofs(buffer.readableBytesSpan, gate: self.snapshot.gate) { self.noteSpoofing() }
        buffer.moveReaderIndex(forwardBy: facts.end)
        self.record.preflight = answer.isAllowed ? .allowed : .denied
        self.record.status = 204
        self.loop.countDecision(
            route: self.snapshot.labelNumber(of: self.record.route), LoopMetrics.index(of: self.record.preflight))
        let bytes = answer.bytes(requestID: self.texts.requestID, close: self.exchange.closesAfterAnswer)
        self.relay { $0.append(contentsOf: bytes) }
        self.step { $0.answered() }
    }

    /// Appends the client's head for the response that was read last, with the proxy's CORS lines.
    func composeCrossOrigin(
        _ bytes: RawSpan, _ client: DownstreamHead.Client, _ framing: DownstreamHead.Framing, _ output: inout [UInt8]
    ) {
        guard let crossOrigin = self.snapshot.gate.crossOrigin else { return }
        self.loop.responses.compose(
            bytes, client: client, framing: framing, crossOrigin: crossOrigin.lines(for: self.record.origin),
            into: &output)
    }

    /// The CORS lines of a refusal, for the current request's origin.
    var refusalLines: [UInt8] {
        self.snapshot.gate.crossOrigin?.refusalLines(for: self.record.origin) ?? []
    }
}
