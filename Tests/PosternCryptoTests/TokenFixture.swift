import Foundation
import PosternCore
import PosternCrypto
import Testing

/// Tests/Fixtures/tokens.json: tokens minted by an independent implementation (mint_tokens.py beside it).
struct TokenFixture: Decodable {
    struct Case: Decodable, CustomTestStringConvertible {
        var name: String
        var token: String
        var expect: String
        var keys: String
        var now: Double?
        var leeway: Double?
        var algorithms: [String]?
        var types: [String]?
        /// The key is there and null: any audience.
        var anyAudience: Bool

        var testDescription: String { self.name }

        private enum CodingKeys: String, CodingKey {
            case name, token, expect, keys, now, leeway, algorithms, types, audiences
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.name = try container.decode(String.self, forKey: .name)
            self.token = try container.decode(String.self, forKey: .token)
            self.expect = try container.decode(String.self, forKey: .expect)
            self.keys = try container.decode(String.self, forKey: .keys)
            self.now = try container.decodeIfPresent(Double.self, forKey: .now)
            self.leeway = try container.decodeIfPresent(Double.self, forKey: .leeway)
            self.algorithms = try container.decodeIfPresent([String].self, forKey: .algorithms)
            self.types = try container.decodeIfPresent([String].self, forKey: .types)
            self.anyAudience = container.contains(.audiences)
        }
    }

    struct Pem: Decodable {
        var pem: String
    }

    var now: Double
    var issuer: String
    var weak: Pem
    var secp256k1: Pem
    var cases: [Case]

    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/tokens.json")

    static let shared = Result { try JSONDecoder().decode(TokenFixture.self, from: Data(contentsOf: Self.file)) }

    /// The key sets by name, each loaded the way that the proxy does.
    static let keySets = Result { () throws -> [String: KeySet<PublicKey>] in
        let bytes = [UInt8](try Data(contentsOf: Self.file))
        guard case .object(let members)? = try JSONReader.parse(bytes.span.bytes)["keys"] else { return [:] }
        var result: [String: KeySet<PublicKey>] = [:]
        for member in members {
            if let set = member.value["jwks"] {
                result[member.name] = KeySet<PublicKey>.load(try JWKSet(json: set)).keys
            } else if let pem = member.value["pem"]?.string {
                result[member.name] = try KeySet<PublicKey>.load(pem: Array(pem.utf8))
            } else if let secret = member.value["secret"]?.string {
                result[member.name] = try KeySet<PublicKey>.load(secret: hex(secret))
            }
        }
        return result
    }

    static var cases: [Case] { (try? Self.shared.get().cases) ?? [] }

    func rules(_ row: Case) -> IssuerRules {
        IssuerRules(
            name: "permiso", issuer: self.issuer, audiences: row.anyAudience ? nil : ["mt5-api"],
            algorithms: row.algorithms.map { $0.compactMap(SignatureAlgorithm.init(rawValue:)) }
                ?? SignatureAlgorithm.defaults,
            leeway: row.leeway ?? 30, tokenTypes: row.types ?? ["at+jwt", "jwt"])
    }
}

/// The octets of hexadecimal digits; white space is skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The octets of a text in base64url.
func decodeBase64URL(_ text: String) throws -> [UInt8] {
    let characters = Array(text.utf8)
    let octets = Base64URL.decode(characters.span.bytes)
    return try #require(octets)
}

/// What validation said, in the words of the fixture.
func verdict(_ validation: Validation) -> String {
    switch validation {
    case .valid: "valid"
    case .invalid(let problem): problem.code
    case .unknownKey(let keyID): "unknown_key:\(keyID)"
    }
}

/// A generator with a seed (SplitMix64): the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
