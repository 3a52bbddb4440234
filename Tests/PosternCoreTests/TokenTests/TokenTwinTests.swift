import PosternCore
import Testing

@Suite("Token twin")
struct TokenTwinTests {
    /// The orders of the curves, by name of the algorithm.
    private static let orders: [(String, String)] = [
        ("ES256", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (
            "ES384",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        ),
        (
            "ES512",
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
                + "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
        ),
    ]

    private static func octets(_ hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private func token(_ algorithm: String, _ signature: [UInt8]) -> [UInt8] {
        compactToken("{\"alg\":\"\(algorithm)\"}", #"{"iss":"i"}"#, signature: signature)
    }

    @Test(arguments: Self.orders)
    func theSecondHalfIsTakenFromTheOrder(_ algorithm: String, _ hex: String) {
        let order = Self.octets(hex)
        let r = (0..<order.count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let one = [UInt8](repeating: 0, count: order.count - 1) + [1]
        let last = order.dropLast() + [order[order.count - 1] - 1]
        let token = self.token(algorithm, r + one)
        #expect(TokenTwin.make(of: token.span.bytes) == self.token(algorithm, r + last))
        let middle = [0, 0xFE] + r.dropFirst(2)
        let other = self.token(algorithm, r + middle)
        let twin = TokenTwin.make(of: other.span.bytes)
        #expect(twin != nil && twin != other)
        #expect(twin.flatMap { TokenTwin.make(of: $0.span.bytes) } == other, "a twin's twin is the token")
    }

    @Test(arguments: Self.orders)
    func whatCannotBeASignatureHasNone(_ algorithm: String, _ hex: String) {
        let order = Self.octets(hex)
        let high = [UInt8](repeating: 0xFF, count: order.count)
        #expect(TokenTwin.make(of: self.token(algorithm, order + high).span.bytes) == nil)
        #expect(TokenTwin.make(of: self.token(algorithm, order).span.bytes) == nil)
        #expect(TokenTwin.make(of: self.token(algorithm, []).span.bytes) == nil)
    }

    @Test(arguments: ["RS256", "PS512", "EdDSA", "HS256", "none"])
    func otherAlgorithmsHaveNone(_ algorithm: String) {
        #expect(TokenTwin.make(of: self.token(algorithm, [UInt8](repeating: 1, count: 64)).span.bytes) == nil)
        #expect(TokenTwin.make(of: Array("opaque".utf8).span.bytes) == nil)
    }

    @Test func aTokenIsRevokedByItsTwinsDigest() throws {
        let digests = (1...3).compactMap { TokenDigest(bytes: [UInt8](repeating: $0, count: TokenDigest.length)) }
        try #require(digests.count == 3)
        var set = RevocationSet()
        set.insert(Revocation(.token(digests[0])), until: .infinity)
        #expect(set.revokes(RevocationFacts(digest: digests[1], twin: digests[0])))
        #expect(set.revokes(RevocationFacts(digest: digests[0], twin: digests[1])))
        #expect(!set.revokes(RevocationFacts(digest: digests[1], twin: digests[2])))
    }
}
