import PosternCore
import PosternCrypto

/// Fields that clients and service keys have. Each is nil if it is not there, or is wrong and said to be.
extension FieldReader {
    /// A name that stands in paths and in logs: 1 to `limit` of `A-Za-z0-9._-`, and not one of the two that mean folders.
    mutating func identifier(_ field: String, limit: Int) -> String? {
        guard let text = self.string(field, limit: limit, allowsEmpty: false) else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isPlain, text != ".", text != ".." else {
            self.refuse(field, "is 1 to \(limit) letters, digits, dots, underscores and hyphens")
            return nil
        }
        return text
    }

    /// A `client_id` that can be given: not this issuer's own, and none that could be a user's id.
    mutating func clientID(_ field: String) -> String? {
        guard let text = self.identifier(field, limit: 128) else { return nil }
        guard text != AccessToken.ownClientID, !Identifier.isUUID(text) else {
            self.refuse(field, "is not \(AccessToken.ownClientID), and does not have the form of a UUID")
            return nil
        }
        return text
    }

    /// An e-mail address by its looks, or an empty string.
    mutating func emailAddress(_ field: String, limit: Int) -> String? {
        guard let text = self.string(field, limit: limit) else { return nil }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.isEmpty || parts.count == 2 && parts.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else {
            self.refuse(field, "is an e-mail address, or empty")
            return nil
        }
        return text
    }

    /// CIDR blocks separated by commas; null and an empty string are no block at all.
    mutating func addressBlocks(_ field: String) -> [AddressBlock]? {
        if self.value(field) == .null { return [] }
        guard let text = self.string(field, limit: 4096) else { return nil }
        guard let blocks = AddressBlock.list(text) else {
            self.refuse(
                field,
                "is a list of addresses and CIDR blocks separated by commas, for instance 10.0.0.0/8,2001:db8::/32")
            return nil
        }
        return blocks
    }

    /// An array of scope tokens (RFC 6749 section 3.3).
    mutating func scopes(_ field: String) -> [String]? {
        guard let scopes = self.strings(field, limit: 128) else { return nil }
        guard scopes.allSatisfy(ScopeList.isScope) else {
            self.refuse(field, "is an array of scopes: printable ASCII without spaces, quotes and backslashes")
            return nil
        }
        return scopes
    }

    /// A JWK set (RFC 7517 section 5) of public keys that can verify an assertion, as JSON. The inner nil is a null: there
    /// are no keys.
    mutating func keySet(_ field: String) -> String?? {
        guard let value = self.value(field) else { return nil }
        if value == .null { return .some(nil) }
        do throws(JWKSetProblem) {
            let loaded = KeySet.load(try JWKSet(json: value))
            if let first = loaded.skipped.first {
                throw JWKSetProblem("key \(first.index + 1) cannot be used: \(first.reason)")
            }
            guard (1...16).contains(loaded.keys.keys.count) else { throw JWKSetProblem("it has 1 to 16 keys") }
            let accepted = ClientAssertion.algorithms
            for (index, key) in loaded.keys.keys.enumerated()
            where !key.algorithms.contains(where: accepted.contains) {
                let names = accepted.map(\.rawValue).joined(separator: ", ")
                throw JWKSetProblem("key \(index + 1) is for none of \(names)")
            }
            return value.serialized()
        } catch {
            self.refuse(field, "is a JWK set with public keys, or null: \(error.description)")
            return nil
        }
    }

    /// The one type of client that there is: all of them keep a secret.
    mutating func confidential(_ field: String) -> Bool {
        guard self.value(field)?.string == "confidential" else {
            self.refuse(field, "is \"confidential\"")
            return false
        }
        return true
    }
}
