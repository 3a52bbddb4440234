extension Configuration {
    /// One entry of `issuers`: whose tokens are accepted, by local validation or by introspection.
    public struct Issuer: Equatable, Sendable {
        /// How the issuer's tokens are validated.
        public enum Validation: Equatable, Sendable {
            /// With keys, by the proxy itself.
            case keys(Keys)
            /// By asking the issuer.
            case introspection(Introspection)
        }

        /// Whether revocations that are published through Redis count for the issuer's tokens.
        public enum Revocation: String, Equatable, Sendable, CaseIterable {
            case off
            /// They count, as far as they are known.
            case redis
            /// They count, and tokens are refused while the subscription has been down for over 5 s.
            case required
        }

        /// Name, `iss`, audiences, algorithms, leeway, token types and claims.
        public var rules: IssuerRules
        public var validation: Validation
        /// `redis` and `required` only where `redis` is configured.
        public var revocation: Revocation
        /// Where the issuer's name stands.
        public var mark: Mark
        /// Where the value of `keys` or `introspection` stands: for problems found when keys or certificates are read.
        public var validationMark: Mark

        public var name: String { self.rules.name }

        /// The keys; nil where tokens are introspected.
        public var keys: Keys? {
            if case .keys(let keys) = self.validation { keys } else { nil }
        }

        /// The introspection; nil where tokens are validated with keys.
        public var introspection: Introspection? {
            if case .introspection(let introspection) = self.validation { introspection } else { nil }
        }
    }

    /// Where an issuer's keys come from.
    public enum Keys: Equatable, Sendable {
        /// `url` or `discover`: fetched in the background.
        case remote(RemoteKeys)
        /// `file`: its bytes at load, a JWK, a JWK set or PEM.
        case file(FileContent)
        /// `inline`: a JWK or a JWK set, an object with `kty` or with `keys`.
        case inline(JSONValue)
        /// `secret`: at least 32 bytes, for HMAC.
        case secret(Secret)
    }

    /// Keys that are fetched over HTTP. Durations in nanoseconds.
    public struct RemoteKeys: Equatable, Sendable {
        public enum Source: Equatable, Sendable {
            /// The key set itself. `http` or `https`, without credentials.
            case url(String)
            /// The issuer whose metadata (RFC 8414, OpenID Connect Discovery) names the key set.
            case discovery(issuer: String)
        }

        public var source: Source
        public var refresh: Int64
        /// For one fetch as a whole.
        public var timeout: Int64
        /// How long keys serve after the last successful fetch.
        public var maxStale: Int64
        /// PEM certificates that are trusted for the fetch instead of the system's.
        public var ca: FileContent?
        /// Sent with the fetch, in the order of the file.
        public var headers: [Header]
        /// Whether the operator wrote `http`: then a key set named by metadata may be `http` too.
        public var allowsCleartext: Bool

        public struct Header: Equatable, Sendable {
            public var name: String
            public var value: Secret
        }
    }

    /// A file that was read when the configuration was.
    public struct FileContent: Equatable, Sendable {
        public var path: String
        public var bytes: [UInt8]
    }
}
