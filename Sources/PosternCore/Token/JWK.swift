/// Why a JSON Web Key cannot be used. The texts are for operators.
public struct JWKProblem: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// A public signature key as JSON (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
///
/// Only public asymmetric keys exist here: an `oct` key is never taken from a key set (HMAC only with `secret`), and a
/// key that carries private members is refused, because whoever could read the set could sign.
public struct JWK: Equatable, Sendable {
    /// The curves of ECDSA keys.
    public enum Curve: String, Sendable, CaseIterable {
        case p256 = "P-256"
        case p384 = "P-384"
        case p521 = "P-521"

        /// Octets of a coordinate, and of `r` and `s` in a signature (RFC 7518 section 3.4).
        public var fieldLength: Int {
            switch self {
            case .p256: 32
            case .p384: 48
            case .p521: 66
            }
        }

        /// The one algorithm for keys on this curve.
        public var algorithm: SignatureAlgorithm {
            switch self {
            case .p256: .es256
            case .p384: .es384
            case .p521: .es512
            }
        }
    }

    /// The numbers that make the key, big-endian.
    public enum Material: Equatable, Sendable {
        /// Modulus and public exponent, without leading zeros.
        case rsa(modulus: [UInt8], exponent: [UInt8])
        /// Coordinates of the point, each exactly the curve's field length.
        case ec(Curve, x: [UInt8], y: [UInt8])
        /// The 32 octets of an Ed25519 public key.
        case ed25519([UInt8])
    }

    /// Bits of the smallest accepted RSA modulus (RFC 7518 section 3.3).
    public static let minimumRSABits = 2048
    /// Bits of the largest accepted RSA modulus: above it one verification costs milliseconds.
    public static let maximumRSABits = 8192

    /// `kid`.
    public var keyID: String?
    public var material: Material
    /// The algorithms that the key may verify: those of its type and curve, narrowed by its `alg`; none if its `use`
    /// or `key_ops` is for something else, or its `alg` is not a signature algorithm known here.
    public var algorithms: [SignatureAlgorithm]

    public init(keyID: String? = nil, material: Material, algorithms: [SignatureAlgorithm]? = nil) {
        self.keyID = keyID
        self.material = material
        self.algorithms = algorithms ?? Self.algorithms(for: material)
    }

    /// The algorithms that fit a key's type and curve.
    public static func algorithms(for material: Material) -> [SignatureAlgorithm] {
        switch material {
        case .rsa: [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
        case .ec(let curve, _, _): [curve.algorithm]
        case .ed25519: [.eddsa]
        }
    }
}

// MARK: - Reading

extension JWK {
    /// Members that only a private key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
    private static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    /// Reads one key. Members that are not known are ignored (RFC 7517 section 4); `x5c`, `x5u` and the like never
    /// replace or add to the key.
    public init(json: JSONValue) throws(JWKProblem) {
        guard case .object = json else { throw JWKProblem("a key is not a JSON object") }
        let type = try Self.text("kty", json)
        let keyID = try Self.text("kid", json)
        switch type {
        case nil: throw JWKProblem("a key has no kty")
        case "oct": throw JWKProblem("an oct key is not taken from a key set: give a shared secret as `secret`")
        case "RSA", "EC", "OKP": break
        case .some(let other): throw JWKProblem("the key type \(other) is not supported")
        }
        if let member = Self.privateMembers.first(where: { json[$0] != nil }) {
            throw JWKProblem("the key holds the private member \(member): a key set must hold public keys only")
        }
        let material: Material
        switch type {
        case "RSA": material = try Self.rsa(json)
        case "EC": material = try Self.ec(json)
        default: material = try Self.okp(json)
        }
        self.init(keyID: keyID, material: material, algorithms: try Self.allowed(json, material))
    }

    private static func rsa(_ json: JSONValue) throws(JWKProblem) -> Material {
        let modulus = Self.significant(try Self.octets("n", json))
        let exponent = Self.significant(try Self.octets("e", json))
        guard let last = exponent.last, last & 1 == 1, exponent != [1], exponent.count <= 8 else {
            throw JWKProblem("the RSA exponent e is not usable")
        }
        guard let first = modulus.first else { throw JWKProblem("the RSA modulus n is zero") }
        let bits = modulus.count * 8 - first.leadingZeroBitCount
        guard bits >= Self.minimumRSABits else {
            throw JWKProblem("the RSA key has \(bits) bits; \(Self.minimumRSABits) are the least that is accepted")
        }
        guard bits <= Self.maximumRSABits else {
            throw JWKProblem("the RSA key has \(bits) bits; \(Self.maximumRSABits) are the most that is accepted")
        }
        return .rsa(modulus: modulus, exponent: exponent)
    }

    private static func ec(_ json: JSONValue) throws(JWKProblem) -> Material {
        let name = try Self.text("crv", json) ?? ""
        guard let curve = Curve(rawValue: name) else { throw JWKProblem("the curve \"\(name)\" is not supported") }
        let x = try Self.octets("x", json)
        let y = try Self.octets("y", json)
        guard x.count == curve.fieldLength, y.count == curve.fieldLength else {
            throw JWKProblem("x and y of a \(curve.rawValue) key must be \(curve.fieldLength) octets each")
        }
        return .ec(curve, x: x, y: y)
    }

    private static func okp(_ json: JSONValue) throws(JWKProblem) -> Material {
        let name = try Self.text("crv", json) ?? ""
        guard name == "Ed25519" else { throw JWKProblem("the curve \"\(name)\" is not supported") }
        let x = try Self.octets("x", json)
        guard x.count == 32 else { throw JWKProblem("x of an Ed25519 key must be 32 octets") }
        return .ed25519(x)
    }

    /// What of the material's algorithms `alg`, `use` and `key_ops` leave.
    private static func allowed(_ json: JSONValue, _ material: Material) throws(JWKProblem) -> [SignatureAlgorithm] {
        if let use = try Self.text("use", json), use != "sig" { return [] }
        if let operations = json["key_ops"] {
            guard case .array(let items) = operations else { throw JWKProblem("key_ops is not an array") }
            guard items.contains(.string("verify")) else { return [] }
        }
        let fitting = Self.algorithms(for: material)
        guard let algorithm = try Self.text("alg", json) else { return fitting }
        // RFC 9864 gives EdDSA over this curve a name of its own; a key so marked signs the same way.
        if algorithm == "Ed25519", case .ed25519 = material { return fitting }
        return fitting.filter { $0.rawValue == algorithm }
    }

    private static func text(_ name: String, _ json: JSONValue) throws(JWKProblem) -> String? {
        switch json[name] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw JWKProblem("the member \(name) of a key is not a string")
        }
    }

    private static func octets(_ name: String, _ json: JSONValue) throws(JWKProblem) -> [UInt8] {
        guard let text = try Self.text(name, json) else { throw JWKProblem("the key has no \(name)") }
        let characters = Array(text.utf8)
        guard let octets = Base64URL.decode(characters.span.bytes) else {
            throw JWKProblem("the member \(name) of a key is not base64url without padding")
        }
        return octets
    }

    private static func significant(_ octets: [UInt8]) -> [UInt8] {
        Array(octets.drop { $0 == 0 })
    }
}
