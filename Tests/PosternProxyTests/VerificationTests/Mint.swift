import PosternCore
import PosternCrypto

/// Makes tokens and key sets.
enum Mint {
    /// The time that tokens are judged at.
    static let now: Double = 1_800_000_000

    /// A signed token with these members of the header and of the claims, as JSON without the braces.
    static func token(_ key: SigningKey, kid: String? = nil, _ claims: String) throws -> [UInt8] {
        let kid = kid.map { #","kid":"\#($0)""# } ?? ""
        let header = #"{"alg":"\#(key.algorithm.rawValue)","typ":"at+jwt"\#(kid)}"#
        let input = Base64URL.encode(Array(header.utf8)) + "." + Base64URL.encode(Array("{\(claims)}".utf8))
        return Array("\(input).\(Base64URL.encode(try key.sign(Array(input.utf8))))".utf8)
    }

    static func keySet(_ keys: [(kid: String, key: SigningKey)]) -> JSONValue {
        .object([.init(name: "keys", value: .array(keys.map { $0.key.publicJWK(kid: $0.kid) }))])
    }
}
