/// What local validation found.
public enum Validation: Equatable, Sendable {
    case valid(Principal)
    case invalid(TokenProblem)
    /// The token's `kid` is in no key of the set: after one refetch of the keys the token may be tried again. If there
    /// is none to come, it is invalid (`TokenProblem.unknownKey`).
    case unknownKey(String)
}

/// Decides on a JWT with keys that are at hand (3-behaviour, JWT). No I/O and no clock.
public struct LocalValidation<Verifier: SignatureVerifier>: Sendable {
    public let verifier: Verifier

    public init(verifier: Verifier) {
        self.verifier = verifier
    }

    /// - Parameters:
    ///   - bytes: The token's bytes, those that `token` was made of.
    ///   - rules: Those of the issuer that `token.issuer` names.
    ///   - keys: The issuer's keys. An empty set is one that has not been had: the token is not judged.
    ///   - now: Unix seconds.
    public func check(
        token: CompactToken, bytes: RawSpan, rules: IssuerRules, keys: KeySet<Verifier.Key>, now: Double
    ) -> Validation {
        do throws(TokenProblem) {
            // The algorithm is the issuer's choice, not the token's: it is looked at before any key.
            guard let algorithm = token.algorithm, rules.algorithms.contains(algorithm) else {
                throw .algorithmNotAllowed
            }
            guard rules.tokenTypes.contains(token.type) else { throw .wrongType }
            guard let expected = rules.issuer, let issuer = token.issuer, issuer.hasSameBytes(as: expected) else {
                throw .unknownIssuer
            }
            guard !keys.isEmpty else { throw .issuerUnavailable }
            let candidates = keys.candidates(keyID: token.keyID, algorithm: algorithm)
            let message = bytes.slice(token.signingInput)
            let signature = token.signature.span.bytes
            var isSigned = false
            for candidate in candidates where !isSigned {
                isSigned = self.verifier.verify(algorithm, key: candidate.key, message: message, signature: signature)
            }
            if !isSigned, let keyID = token.keyID, keys.namesKeys, !keys.names(keyID: keyID) {
                return .unknownKey(keyID)
            }
            guard isSigned else { throw candidates.isEmpty ? .noFittingKey : .badSignature }
            return .valid(try ClaimRules.principal(rules: rules, claims: token.claims, now: now))
        } catch {
            return .invalid(error)
        }
    }

    /// Takes the token apart and decides.
    public func check(
        bytes: RawSpan, rules: IssuerRules, keys: KeySet<Verifier.Key>, now: Double
    ) -> Validation {
        do throws(TokenProblem) {
            return self.check(token: try CompactToken(bytes), bytes: bytes, rules: rules, keys: keys, now: now)
        } catch {
            return .invalid(error)
        }
    }
}
