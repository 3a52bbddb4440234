import PosternCore
import PosternCrypto

/// Makes key sets of what a configuration or an issuer gives.
enum KeyMaterial {
    /// The keys that come with the configuration itself; nil where they are fetched.
    ///
    /// - Throws: `CryptoError` or `JWKSetProblem`: there is no usable key.
    static func load(_ keys: Configuration.Keys) throws -> KeySet<PublicKey>? {
        switch keys {
        case .remote:
            return nil
        case .file(let content):
            return try KeySet<PublicKey>.load(file: content.bytes).keys
        case .secret(let secret):
            return try KeySet<PublicKey>.load(secret: secret.bytes)
        case .inline(let json):
            let loaded = KeySet<PublicKey>.load(try JWKSet(json: Self.asSet(json)))
            if loaded.keys.isEmpty, let first = loaded.skipped.first { throw JWKSetProblem(first.reason) }
            return loaded.keys
        }
    }

    /// A single JWK is a set of one.
    private static func asSet(_ json: JSONValue) -> JSONValue {
        json["keys"] == nil ? .object([.init(name: "keys", value: .array([json]))]) : json
    }
}

extension TrustedIssuer {
    /// What makes two issuers share fetched keys across a reload.
    var keysIdentity: KeysIdentity { KeysIdentity(name: self.rules.name, source: self.validation) }

    /// Nanoseconds that one fetch of keys may take; zero where nothing is fetched.
    var fetchTimeout: Int64 {
        if case .keys(.remote(let remote)) = self.validation { remote.timeout } else { 0 }
    }
}

/// An issuer's keys: its name and where they come from.
struct KeysIdentity: Hashable, Sendable {
    let name: String
    let source: Configuration.Issuer.Validation

    static func == (left: KeysIdentity, right: KeysIdentity) -> Bool {
        left.name == right.name && left.source == right.source
    }

    func hash(into hasher: inout Hasher) { hasher.combine(self.name) }
}
