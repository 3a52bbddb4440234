import NIOSSL
import PosternCore
import Synchronization

/// What a listener shows new clients. It changes with the files; connections that are there keep what they began with.
final class ListenerTLS: Sendable {
    private struct State {
        var configuration: Configuration.ServerTLS
        var context: NIOSSLContext
    }

    private let state: Mutex<State>

    init(_ configuration: Configuration.ServerTLS) throws(TLSContexts.Problem) {
        self.state = Mutex(
            State(configuration: configuration, context: try TLSContexts.server(configuration)))
    }

    /// For one more connection.
    var context: NIOSSLContext { self.state.withLock { $0.context } }

    /// Shows something else from now on. The same as before is no change: clients may go on with their sessions.
    func adopt(_ configuration: Configuration.ServerTLS) throws(TLSContexts.Problem) {
        guard self.state.withLock({ $0.configuration != configuration }) else { return }
        let context = try TLSContexts.server(configuration)
        self.state.withLock { $0 = State(configuration: configuration, context: context) }
    }
}
