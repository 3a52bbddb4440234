import NIOCore
import NIOSSL

// TLS that is asked to close waits some seconds for the peer to agree: whoever has said what there was to say closes past it.
extension ChannelHandlerContext {
    /// Closes the socket of the channel at once, whatever TLS there may be.
    func closeSocket() {
        self.channel.pipeline.syncOperations.closeSocket()
    }
}

extension ChannelPipeline.SynchronousOperations {
    /// Closes the socket of the channel at once, whatever TLS there may be.
    func closeSocket() {
        if let tls = try? self.context(handlerType: NIOSSLHandler.self) {
            tls.close(promise: nil)
        } else {
            self.close(mode: .all, promise: nil)
        }
    }
}
