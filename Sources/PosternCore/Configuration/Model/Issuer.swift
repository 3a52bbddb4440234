extension Configuration {
    /// One entry of `issuers`: whose tokens are accepted, by local validation.
    public struct Issuer: Equatable, Sendable {
        /// Name, `iss`, audiences, algorithms, leeway, token types and claims.
        public var rules: IssuerRules
        public var keys: Keys
        /// Where the issuer's name stands.
        public var mark: Mark
        /// Where `keys` stands: for problems found when the keys themselves are read.
        public var keysMark: Mark

        public var name: String { self.rules.name }
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
