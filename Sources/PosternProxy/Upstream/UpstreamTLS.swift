import NIOCore
import NIOSSL
import PosternCore

/// TLS to a service, ready for connections.
struct UpstreamTLS: Equatable, Sendable {
    let configuration: Configuration.ClientTLS
    private let context: NIOSSLContext

    /// - Parameters:
    ///   - spoken: what ALPN offers.
    ///   - upstream: where the service is named, for what is wrong.
    init(
        _ configuration: Configuration.ClientTLS, spoken: Configuration.ApplicationProtocol = .http1, upstream: Mark
    ) throws(TLSContexts.Problem) {
        self.configuration = configuration
        self.context = try TLSContexts.client(configuration, protocols: spoken.names, upstream: upstream)
    }

    /// The handlers of one more connection; the second says how the handshake ends.
    func handlers() throws -> (NIOSSLClientHandler, HandshakeWatch) {
        let name = self.configuration.serverName
        return (try NIOSSLClientHandler(context: self.context, serverHostname: name), HandshakeWatch())
    }

    /// Whether what a service has shown, and libssl has verified, is for the name. libssl would be content with the IP
    /// address that was connected to, which whoever answers for the name in DNS may choose.
    func accepts(_ certificate: NIOSSLCertificate?) -> Bool {
        guard let name = self.configuration.serverName else { return true }
        return certificate?._subjectAlternativeNames().contains {
            $0.nameType == .dnsName && CertificateName.matches(name, pattern: $0.contents)
        } ?? false
    }

    /// The same files with the same content, and the same name.
    static func == (left: UpstreamTLS, right: UpstreamTLS) -> Bool {
        left.configuration == right.configuration
    }
}

extension Configuration.ApplicationProtocol {
    /// As ALPN (RFC 7301) names it.
    fileprivate var names: [String] {
        switch self {
        case .http1: ["http/1.1"]
        case .h2: ["h2"]
        case .auto: ["h2", "http/1.1"]
        }
    }
}
