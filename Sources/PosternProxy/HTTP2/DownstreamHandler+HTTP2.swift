import NIOCore
import PosternCore

// Where a connection turns out to be HTTP/2, and where a stream of it differs from a connection of HTTP/1.1.
extension DownstreamHandler {
    /// Whether what came instead of a request is the beginning of the preface of HTTP/2 (RFC 9113 section 3.4): on a
    /// cleartext connection, before anything else. Over TLS the protocol was agreed on before (section 3.2).
    @inline(never)
    func isPreface(_ buffer: ByteBuffer) -> Bool {
        guard self.wire == .plain, self.requestNumber == 1 else { return false }
        let preface: StaticString = "PRI * HTTP/2.0\r\n\r\n"
        let length = preface.utf8CodeUnitCount
        guard buffer.readableBytes >= length else { return false }
        return buffer.readableBytesSpan.extracting(0..<length).equals(preface)
    }

    /// Leaves the connection to the handlers of HTTP/2.
    ///
    /// - Parameter bytes: what was read of it.
    @inline(never)
    func goOver(with bytes: ByteBuffer) {
        guard let context else { return }
        self.record.isOpen = false
        let session: DownstreamSessionHandler
        do {
            session = try DownstreamHTTP2.begin(
                in: context.channel, after: self, loop: self.loop, client: self.client, wire: self.wire)
        } catch {
            return self.closeNow()
        }
        self.wasHandedOver = true
        // Before anything is read: what is read may end the connection at once, and this handler tells nobody behind it.
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        if bytes.readableBytes > 0 { session.takeOver(bytes) }
    }

    /// Whether a final response with this status may go to the client. A stream that asked to become a tunnel takes any 2xx
    /// for a yes (RFC 8441 section 5); the service's yes is a 101.
    func mayPass(_ status: Int) -> Bool {
        self.stream?.tunnel == nil || status < 200 || status > 299
    }
}

extension Refusal {
    static let unknownProtocol = Refusal(
        .notImplemented, "The protocol that :protocol names is not one that this route lets through.")
}
