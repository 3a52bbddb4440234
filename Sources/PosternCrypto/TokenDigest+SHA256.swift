public import PosternCore

extension TokenDigest {
    /// The digest of a token's bytes.
    public init(of token: RawSpan) {
        guard let digest = TokenDigest(bytes: Digest.sha256(token)) else {
            preconditionFailure("SHA-256 has 32 octets")
        }
        self = digest
    }
}
