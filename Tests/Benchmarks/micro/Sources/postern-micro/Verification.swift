import PosternCore
import PosternCrypto

/// Judging a token that no cache knows: the whole check, and the signature alone.
let verificationOperations = [
    (SignatureAlgorithm.rs256, SignedTokens.rs256), (.es256, SignedTokens.es256), (.eddsa, SignedTokens.eddsa),
].flatMap { algorithm, token in
    [checkOperation(algorithm, token), verifyOperation(algorithm, token)]
}

private func checkOperation(_ algorithm: SignatureAlgorithm, _ text: String) -> Operation {
    Operation("check-\(algorithm.rawValue.lowercased())", "whole check of a token, \(algorithm.rawValue)") {
        let bytes = Array(text.utf8)
        let keys = try Samples.keys()
        let validation = LocalValidation(verifier: OpenSSLVerifier())
        return { count in
            var sum = 0
            for _ in 0..<count {
                let found = validation.check(
                    bytes: bytes.span.bytes, rules: Samples.issuer, keys: keys, now: SignedTokens.now)
                guard case .valid(let principal) = found else { throw WrongResult("\(found)") }
                sum &+= principal.scopes.count
            }
            return sum
        }
    }
}

private func verifyOperation(_ algorithm: SignatureAlgorithm, _ text: String) -> Operation {
    Operation("verify-\(algorithm.rawValue.lowercased())", "signature alone, \(algorithm.rawValue)") {
        let bytes = Array(text.utf8)
        let token = try CompactToken(bytes.span.bytes)
        let keys = try Samples.keys()
        guard let key = keys.candidates(keyID: token.keyID, algorithm: algorithm).first?.key else {
            throw WrongResult("no key fits")
        }
        let verifier = OpenSSLVerifier()
        return { count in
            var valid = 0
            for _ in 0..<count {
                let isValid = verifier.verify(
                    algorithm, key: key, message: bytes.span.bytes.slice(token.signingInput),
                    signature: token.signature.span.bytes)
                if isValid { valid &+= 1 }
            }
            guard valid == count else { throw WrongResult("\(valid) of \(count) signatures are valid") }
            return valid
        }
    }
}
