import PosternCore
import PosternCrypto

/// Verifies a token that no cache knows: chooses the issuer, then judges the token with the issuer's keys, or says who is to
/// be asked. Synchronous; costs one signature check at most for each fitting key.
enum TokenVerification {
    enum Verdict {
        /// The issuer, by index, accepts it.
        case valid(Principal, issuer: Int)
        /// These issuers, by index and in this order, are to be asked.
        case introspect([Int])
        case invalid(TokenProblem)
        /// The issuer's keys have not been had; the index is the issuer's.
        case unavailable(issuer: Int)
        /// No key of the issuer has this id.
        case unknownKey(issuer: Int, keyID: String)
    }

    /// - Parameters:
    ///   - keys: by issuer index.
    ///   - now: Unix seconds.
    static func verify(
        _ bytes: RawSpan, snapshot: Snapshot, keys: [KeySet<PublicKey>], now: Double
    ) -> Verdict {
        let token: CompactToken
        let index: Int
        switch IssuerChoice.choose(bytes, among: snapshot.candidates) {
        case .local(let issuer, let compact): (index, token) = (issuer, compact)
        case .introspect(let issuers): return .introspect(issuers)
        case .refused(let problem): return .invalid(problem)
        }
        let validation = LocalValidation(verifier: OpenSSLVerifier()).check(
            token: token, bytes: bytes, rules: snapshot.issuers[index].rules, keys: keys[index], now: now)
        switch validation {
        case .valid(let principal): return .valid(principal, issuer: index)
        case .invalid(.issuerUnavailable): return .unavailable(issuer: index)
        case .invalid(let problem): return .invalid(problem)
        case .unknownKey(let keyID): return .unknownKey(issuer: index, keyID: keyID)
        }
    }
}
