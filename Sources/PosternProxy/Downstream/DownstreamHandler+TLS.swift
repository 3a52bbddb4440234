import Logging
import NIOCore
import PosternCore

// The handshake of a client, which TLS before this handler makes: it has `timeouts.head`, as a request's head does.
extension DownstreamHandler {
    func handshakeCompleted() {
        self.secured()
        self.loop.metrics.handshakes &+= 1
        self.setDeadline(
            self.loop.now &+ (self.exchange.isDraining ? self.loop.drainPatience : self.snapshot.timeouts.head))
    }

    /// Said at debug only: anybody who reaches the listener can cause this as often as he likes. The metric counts it.
    func handshakeFailed(_ error: any Error) {
        self.loop.metrics.failedHandshakes &+= 1
        self.loop.services.logger.debug(
            "TLS handshake failed",
            metadata: [
                "client": "\(String(decoding: self.client.address, as: UTF8.self))",
                "reason": "\(TLSTrouble.describe(error))",
            ])
    }
}
