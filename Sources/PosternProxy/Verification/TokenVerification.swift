import PosternCore
import PosternCrypto

/// Verifies a token that no cache knows: chooses the issuer, then judges the token with the issuer's keys. Synchronous;
/// costs one signature check at most for each fitting key.
enum TokenVerification {
    enum Verdict {
        case valid(Principal)
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
        do throws(TokenProblem) {
            token = try CompactToken(bytes)
        } catch {
            return .invalid(error)
        }
        // A token goes to the issuer that it names and to no other.
        guard let name = token.issuer,
            let index = snapshot.issuers.firstIndex(where: { $0.rules.issuer.hasSameBytes(as: name) })
        else { return .invalid(.unknownIssuer) }
        let validation = LocalValidation(verifier: OpenSSLVerifier()).check(
            token: token, bytes: bytes, rules: snapshot.issuers[index].rules, keys: keys[index], now: now)
        switch validation {
        case .valid(let principal): return .valid(principal)
        case .invalid(.issuerUnavailable): return .unavailable(issuer: index)
        case .invalid(let problem): return .invalid(problem)
        case .unknownKey(let keyID): return .unknownKey(issuer: index, keyID: keyID)
        }
    }
}
