/// A JWT in compact form, taken apart (RFC 7515 section 7.1, RFC 7519) and held to the rules that need no key.
///
/// Nothing in it may be believed before the signature has been verified; `issuer` is there only to choose whose keys
/// and rules to verify with.
public struct CompactToken: Equatable, Sendable {
    /// Octets of the longest accepted header, decoded.
    public static let maximumHeaderLength = 2048

    /// `alg`. Nil where it names no algorithm known here, `none` included: such a token fits no issuer's list.
    public let algorithm: SignatureAlgorithm?
    /// `kid`: selects among the issuer's keys, and does nothing else.
    public let keyID: String?
    /// `typ` in lower case and without `application/`; `jwt` if absent.
    public let type: String
    /// The payload; an object.
    public let claims: JSONValue
    /// The bytes that are signed: header and payload as they stand in the token, from offset 0.
    public let signingInput: ByteRange
    /// Octets of the signature.
    public let signature: [UInt8]

    /// `iss`, before verification.
    public var issuer: String? { self.claims["iss"]?.string }

    /// Takes a token apart. `bytes` are exactly the token.
    public init(_ bytes: RawSpan) throws(TokenProblem) {
        let (header, payload, signature) = try Self.parts(bytes)
        guard let headerOctets = Base64URL.decode(bytes.slice(header)), headerOctets.count <= Self.maximumHeaderLength
        else { throw .malformed }
        let head = try Self.object(headerOctets)
        try Self.checkHeader(head)
        guard case .string(let algorithm)? = head["alg"] else { throw .malformed }
        self.algorithm = SignatureAlgorithm(rawValue: algorithm)
        self.keyID = try Self.text("kid", head)
        self.type = Self.normalizedType(try Self.text("typ", head))

        guard let payloadOctets = Base64URL.decode(bytes.slice(payload)),
            let signatureOctets = Base64URL.decode(bytes.slice(signature))
        else { throw .malformed }
        self.claims = try Self.object(payloadOctets)
        self.signature = signatureOctets
        self.signingInput = ByteRange(0, Int(payload.end))
    }

    /// A media type as `typ` is compared: lower case, without the prefix that RFC 7515 section 4.1.9 lets one omit.
    public static func normalizedType(_ type: String?) -> String {
        guard let type else { return "jwt" }
        let lowercase = String(decoding: type.utf8.map(\.asciiLowercased), as: UTF8.self)
        let prefix = "application/"
        return lowercase.hasPrefix(prefix) ? String(lowercase.dropFirst(prefix.count)) : lowercase
    }

    /// The three parts between the dots.
    private static func parts(_ bytes: RawSpan) throws(TokenProblem) -> (ByteRange, ByteRange, ByteRange) {
        var dots = (0, 0)
        var count = 0
        var i = 0
        while let dot = bytes.firstDot(from: i) {
            i = dot
            count += 1
            if count == 1 { dots.0 = i }
            if count == 2 { dots.1 = i }
            i += 1
        }
        if count == 4 { throw .encrypted }
        guard count == 2 else { throw .malformed }
        return (ByteRange(0, dots.0), ByteRange(dots.0 + 1, dots.1), ByteRange(dots.1 + 1, bytes.byteCount))
    }

    private static func object(_ octets: [UInt8]) throws(TokenProblem) -> JSONValue {
        do throws(JSONProblem) {
            let value = try JSONReader.parse(octets.span.bytes)
            if case .object = value { return value }
        } catch {
            throw .malformed
        }
        throw .malformed
    }

    /// Refuses the header members that change what the token means. `jku`, `x5u`, `jwk` and `x5c` are not among them:
    /// they are not read at all, so they fetch nothing and bring no key, and a token that has them is verified like any
    /// other.
    private static func checkHeader(_ head: JSONValue) throws(TokenProblem) {
        if head["enc"] != nil { throw .encrypted }
        for name in ["crit", "b64", "zip"] where head[name] != nil { throw .unsupportedHeader }
    }

    private static func text(_ name: String, _ head: JSONValue) throws(TokenProblem) -> String? {
        switch head[name] {
        case nil: return nil
        case .string(let text): return text
        default: throw .malformed
        }
    }
}

extension RawSpan {
    /// The offset of the first dot from `start` on. Eight bytes a step: the parts of a token are long.
    fileprivate func firstDot(from start: Int) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        var i = start
        while i &+ 8 <= self.byteCount {
            let word = self.word(i) ^ ones &* 0x2E
            let zero = (word &- ones) & ~word & high
            // The lowest bit is right: a borrow goes upwards from a zero.
            if zero != 0 { return i &+ zero.trailingZeroBitCount / 8 }
            i &+= 8
        }
        while i < self.byteCount {
            if self.byte(i) == UInt8(ascii: ".") { return i }
            i &+= 1
        }
        return nil
    }
}
