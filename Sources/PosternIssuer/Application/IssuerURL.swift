import Synchronization

/// The issuer's own URL: as configured, or, in development mode, the address that is listened on, which is known when
/// the listener is open and before its first connection is served.
final class IssuerURL: Sendable {
    private let configured: String?
    private let listening = Mutex("")

    init(configured: String?) {
        self.configured = configured
    }

    var value: String {
        self.configured ?? self.listening.withLock { $0 }
    }

    func listens(on address: ListenAddress) {
        self.listening.withLock { $0 = "http://\(address)" }
    }
}
