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

    /// The URL of one of its paths.
    func endpoint(_ path: String) -> String {
        let value = self.value
        return (value.hasSuffix("/") ? String(value.dropLast()) : value) + path
    }

    /// What a client's assertion may be meant for (RFC 7523 section 3): the issuer, its token endpoint, or the endpoint
    /// that is called.
    func assertionAudiences(at path: String) -> [String] {
        [self.value, self.endpoint("/oauth/token"), self.endpoint(path)]
    }

    func listens(on address: ListenAddress) {
        self.listening.withLock { $0 = "http://\(address)" }
    }
}
