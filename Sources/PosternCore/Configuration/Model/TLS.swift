extension Configuration {
    /// A PEM file that TLS needs, read when the configuration was. It prints without its bytes: it may be a private key.
    public struct TLSFile: Equatable, Sendable {
        /// As written: a relative path begins at the folder of the configuration.
        public var path: String
        public var content: Secret
        /// Where the path stands, and under which key path: for problems found when the file is looked into.
        public var mark: Mark
        public var key: String

        /// Two files are the same if what they hold is; where they were written does not matter.
        public static func == (left: TLSFile, right: TLSFile) -> Bool {
            left.path == right.path && left.content == right.content
        }
    }

    /// What one side of a connection shows: its certificate, with those that lead to the authority behind it, and the
    /// private key of the first.
    public struct TLSIdentity: Equatable, Sendable {
        public var certificate: TLSFile
        public var privateKey: TLSFile
    }

    /// `tls` of a listener.
    public struct ServerTLS: Equatable, Sendable {
        /// What is asked of clients. The file holds the authorities of their certificates.
        public enum Clients: Equatable, Sendable {
            /// They are not asked for a certificate.
            case anonymous
            /// None is fine, a bad one ends the handshake.
            case requested(TLSFile)
            /// Without a good one there is no connection.
            case required(TLSFile)
        }

        public var identity: TLSIdentity
        public var clients: Clients

        /// Every file that it is made of.
        public var files: [TLSFile] {
            let own = [self.identity.certificate, self.identity.privateKey]
            switch self.clients {
            case .anonymous: return own
            case .requested(let authorities), .required(let authorities): return own + [authorities]
            }
        }
    }

    /// TLS to a service: of an upstream with an `https` URL.
    public struct ClientTLS: Equatable, Sendable {
        /// Who is trusted; nil: the authorities of the system.
        public var authorities: TLSFile?
        /// The name that the service is asked for and that must be in its certificate; nil: it is reached at an IP address,
        /// which must be there.
        public var serverName: String?
        /// What the proxy shows a service that asks.
        public var identity: TLSIdentity?

        /// Every file that it is made of.
        public var files: [TLSFile] {
            [self.authorities, self.identity?.certificate, self.identity?.privateKey].compactMap { $0 }
        }
    }

    /// Every file of the TLS of listeners and services.
    public var tlsFiles: [TLSFile] {
        let upstreams = [self.upstream] + self.routes.compactMap(\.upstream)
        return self.listen.flatMap { $0.tls?.files ?? [] } + upstreams.flatMap { $0.tls?.files ?? [] }
    }
}
