/// A key of an issuer, ready to verify.
public struct VerificationKey<Key: Sendable>: Sendable {
    /// `kid`. Nil (a PEM file, a secret, a JWK without one): the key stands for any.
    public var keyID: String?
    /// The algorithms that the key fits, by its type, curve, `alg` and `use`.
    public var algorithms: [SignatureAlgorithm]
    public var key: Key

    public init(keyID: String? = nil, algorithms: [SignatureAlgorithm], key: Key) {
        self.keyID = keyID
        self.algorithms = algorithms
        self.key = key
    }
}

/// The keys of an issuer.
public struct KeySet<Key: Sendable>: Sendable {
    public var keys: [VerificationKey<Key>]

    public init(_ keys: [VerificationKey<Key>] = []) {
        self.keys = keys
    }

    /// No key at all: counts as not having been had.
    public var isEmpty: Bool { self.keys.isEmpty }

    /// Whether a key here bears exactly this `kid`.
    public func names(keyID: String) -> Bool {
        self.keys.contains { Self.same($0.keyID, keyID) }
    }

    /// Whether any key here has a `kid`: then the issuer names its keys, and an unknown name may mean a new one.
    public var namesKeys: Bool { self.keys.contains { $0.keyID != nil } }

    /// The keys to try for a token, in the order of the set: those that fit the algorithm and, if the token has a
    /// `kid`, those of that name or without one.
    public func candidates(keyID: String?, algorithm: SignatureAlgorithm) -> [VerificationKey<Key>] {
        self.keys.filter { key in
            guard key.algorithms.contains(algorithm) else { return false }
            guard let keyID, key.keyID != nil else { return true }
            return Self.same(key.keyID, keyID)
        }
    }

    /// Equal byte for byte: Swift's `String` equality would also accept another Unicode normal form.
    private static func same(_ a: String?, _ b: String) -> Bool {
        a?.utf8.elementsEqual(b.utf8) ?? false
    }
}
