import PosternCore
import PosternCrypto

/// Keys that nobody can sign with. Where a client is unknown, or has no key that fits its assertion, one of them is
/// verified with, so that the answer takes as long as for a wrong signature.
///
/// What is done is the same for everybody: one document is read (the client's, or where it has none, one that looks like
/// it), and of it only keys that fit are made ready, which is what costs; where none fits, the decoy is.
struct DecoyKeys: Sendable {
    private struct Decoy: Sendable {
        /// A JWK set with it alone: what is read in place of a client's.
        var document: [UInt8]
        var set: KeySet<JWK>
    }

    private let decoys: [SignatureAlgorithm: Decoy]

    init() {
        var decoys: [SignatureAlgorithm: Decoy] = [:]
        for algorithm in ClientAssertion.algorithms {
            let document = Self.document(for: algorithm)
            decoys[algorithm] = Decoy(document: document, set: Self.read(document))
        }
        self.decoys = decoys
    }

    /// The keys to verify an assertion with.
    ///
    /// - Parameter keySet: Those of the client (RFC 7517), if there is one and it has any.
    func keys(for assertion: ClientAssertion, of keySet: String?) -> (set: KeySet<PublicKey>, areDecoys: Bool) {
        guard let decoy = self.decoys[assertion.algorithm] else { return (KeySet(), true) }
        let own = Self.fitting(Self.read(keySet.map { Array($0.utf8) } ?? decoy.document), assertion)
        if keySet != nil, !own.isEmpty { return (own, false) }
        // Where there was no key set, the decoy has been made ready by the line above.
        return (keySet == nil ? own : Self.fitting(decoy.set, assertion), true)
    }

    private static func read(_ document: [UInt8]) -> KeySet<JWK> {
        guard let set = try? JWKSet(document.span.bytes) else { return KeySet() }
        return KeySet<JWK>(set.keys.map { VerificationKey(keyID: $0.keyID, algorithms: $0.algorithms, key: $0) })
    }

    /// Makes the keys ready that the assertion may be signed with.
    private static func fitting(_ set: KeySet<JWK>, _ assertion: ClientAssertion) -> KeySet<PublicKey> {
        let candidates = set.candidates(keyID: assertion.token.keyID, algorithm: assertion.algorithm)
        return KeySet(
            candidates.compactMap { each in
                guard let key = try? PublicKey(jwk: each.key) else { return nil }
                return VerificationKey(keyID: each.keyID, algorithms: each.algorithms, key: key)
            })
    }

    /// Without `kid`: it stands for any.
    private static func document(for algorithm: SignatureAlgorithm) -> [UInt8] {
        let key: JSONValue =
            switch algorithm {
            case .es256, .eddsa: Self.forgotten(algorithm)
            default: Self.randomModulus
            }
        return JSONValue.record([("keys", .array([key]))]).serializedBytes()
    }

    /// The public half of a new key, whose private half is gone with the end of this function.
    private static func forgotten(_ algorithm: SignatureAlgorithm) -> JSONValue {
        guard let key = try? SigningKey.generate(algorithm), case .object(let members) = key.publicJWK(kid: "") else {
            return .null
        }
        return .object(members.filter { $0.name != "kid" })
    }

    /// An RSA key by its looks: any odd modulus costs a verification the same, and to find two primes for one would take
    /// 100 ms.
    private static var randomModulus: JSONValue {
        var modulus = Random.bytes(256)
        modulus[0] |= 0x80
        modulus[255] |= 1
        return .record([("kty", .string("RSA")), ("n", .string(Base64URL.encode(modulus))), ("e", .string("AQAB"))])
    }
}
