/// Why a document is not a JSON Web Key Set.
public struct JWKSetProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// A JSON Web Key Set (RFC 7517 section 5), as far as it is of use for verification.
///
/// One key that cannot be used does not take the others with it: an issuer may publish keys of kinds that are not known
/// here, keys for encryption, or a broken one. Each such key is left out and said in `skipped`.
public struct JWKSet: Equatable, Sendable {
    /// A key that was left out.
    public struct Skipped: Equatable, Sendable {
        /// Its place in `keys`, from 0.
        public var index: Int
        /// Its `kid`, if it could be read.
        public var keyID: String?
        public var reason: String

        public init(index: Int, keyID: String?, reason: String) {
            self.index = index
            self.keyID = keyID
            self.reason = reason
        }
    }

    /// More keys than any issuer has: a set beyond it is refused.
    public static let maximumKeys = 256

    /// The usable keys, in the order of the document. May be empty: whoever wants keys decides what that means.
    public var keys: [JWK]
    /// For each usable key its place in the document's `keys`, from 0.
    public var positions: [Int]
    public var skipped: [Skipped]

    /// Reads a document.
    public init(_ bytes: RawSpan) throws(JWKSetProblem) {
        let json: JSONValue
        do {
            json = try JSONReader.parse(bytes)
        } catch {
            throw JWKSetProblem("the key set is not JSON: \(error)")
        }
        try self.init(json: json)
    }

    /// Reads a document that is JSON already, as `inline` of proxy.yaml is.
    public init(json: JSONValue) throws(JWKSetProblem) {
        guard case .object = json else { throw JWKSetProblem("the key set is not a JSON object") }
        guard case .array(let items)? = json["keys"] else { throw JWKSetProblem("the key set has no array `keys`") }
        guard items.count <= Self.maximumKeys else {
            throw JWKSetProblem("the key set has \(items.count) keys; \(Self.maximumKeys) are the most that is read")
        }
        self.keys = []
        self.positions = []
        self.skipped = []
        for (index, item) in items.enumerated() {
            do throws(JWKProblem) {
                let key = try JWK(json: item)
                if key.algorithms.isEmpty { throw JWKProblem("its use, key_ops or alg is not for signatures") }
                self.keys.append(key)
                self.positions.append(index)
            } catch {
                self.skipped.append(.init(index: index, keyID: item["kid"]?.string, reason: error.description))
            }
        }
    }

    /// The usable keys of a document.
    public static func parse(_ bytes: RawSpan) throws(JWKSetProblem) -> [JWK] {
        try JWKSet(bytes).keys
    }
}
