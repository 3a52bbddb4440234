import PosternCore
import Testing

@Suite("Revocation")
struct RevocationTests {
    static let hex = "00ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1cABCD"

    static func digest(_ fill: UInt8) -> TokenDigest? {
        TokenDigest(bytes: [UInt8](repeating: fill, count: 32))
    }

    @Test(
        arguments: [
            (#"{"jti":"a"}"#, .tokenID("a")), (#" { "jti" : "a" } "#, .tokenID("a")), (#"{"jti":""}"#, .tokenID("")),
            (#"{"jti":7}"#, .tokenID("7")), (#"{"jti":"a","sub":null,"x":[{}]}"#, .tokenID("a")),
            (#"{"jti":"a","before":"x"}"#, .tokenID("a")), (#"{"jti":"a\u0022é"}"#, .tokenID("a\"é")),
            (#"{"sub":"u","before":1760000000}"#, .subject("u", before: 1_760_000_000)),
            (#"{"before":0.5,"sub":42}"#, .subject("42", before: 0.5)),
            (#"{"sub":"u","before":-1,"reason":"logout"}"#, .subject("u", before: -1)),
            (#"{"client":"c","before":253402300799}"#, .client("c", before: 253_402_300_799)),
        ] as [(String, Revocation.Subject)])
    func memberIsRead(_ text: String, _ subject: Revocation.Subject) {
        #expect(Revocation(json: Array(text.utf8))?.subject == subject)
    }

    @Test func digestIsReadInEitherCase() throws {
        let digest = try #require(TokenDigest(hex: Self.hex))
        #expect(Revocation(json: Array(#"{"token":"\#(Self.hex)"}"#.utf8))?.subject == .token(digest))
        #expect(Revocation(json: Array(#"{"token":"\#(Self.hex.lowercased())"}"#.utf8))?.subject == .token(digest))
    }

    @Test(arguments: [
        "", "{}", "null", "[]", #""jti""#, #"["jti","a"]"#, #"{"JTI":"a"}"#, #"{"jti":null}"#, #"{"jti":true}"#,
        #"{"jti":["a"]}"#, #"{"jti":"a"} x"#, #"{"jti":"a""#, #"{"jti":"a","jti":"a"}"#, #"{"jti":"a","sub":"u"}"#,
        #"{"jti":"a","sub":"u","before":1}"#, #"{"sub":"u","client":"c","before":1}"#, #"{"sub":"u"}"#,
        #"{"sub":"u","before":null}"#, #"{"sub":"u","before":"1"}"#, #"{"sub":"u","before":true}"#,
        #"{"sub":"u","before":1760000000000}"#, #"{"client":"c","before":-253402300800}"#, #"{"client":"c"}"#,
        #"{"client":{},"before":1}"#, #"{"before":1}"#, #"{"token":""}"#, #"{"token":7}"#,
        #"{"token":"00ff"}"#, #"{"token":"\#(hex)00"}"#, #"{"token":"\#(hex.dropLast())"}"#,
        #"{"token":"\#(hex.dropLast())g"}"#, #"{"token":"\#(hex.dropLast()) "}"#,
    ])
    func anythingElseIsNot(_ text: String) {
        #expect(Revocation(json: Array(text.utf8)) == nil)
    }

    @Test func bytesThatAreNoTextAreNot() {
        #expect(Revocation(json: Array(#"{"jti":""#.utf8) + [0xFF] + Array(#""}"#.utf8)) == nil)
        #expect(Revocation(json: [0]) == nil)
    }

    @Test func memberHasALargestLength() {
        let frame = #"{"jti":"a"}"#.utf8.count
        func member(_ count: Int) -> [UInt8] {
            Array((#"{"jti":"a"\#(String(repeating: " ", count: count - frame))}"#).utf8)
        }
        #expect(Revocation(json: member(Revocation.maximumLength)) != nil)
        #expect(Revocation(json: member(Revocation.maximumLength + 1)) == nil)
    }

    /// However the name is spelled: what is read can always be written and read again.
    @Test(arguments: ["a", #"\u0061"#, #"\b"#, #"\u0001"#, #"\""#, "é", "\u{7F}"])
    func nameHasALargestLength(_ character: String) throws {
        let character = try #require(try JSONReader.parse(Array("\"\(character)\"".utf8).span.bytes).string)
        let most = Revocation.maximumNameLength / character.utf8.count
        let longest = Revocation(.tokenID(String(repeating: character, count: most)))
        #expect(Revocation(json: longest.serialized) == longest)
        #expect(Revocation(json: Revocation(.tokenID(String(repeating: character, count: most + 1))).serialized) == nil)
        let user = Revocation(.subject(String(repeating: character, count: most), before: -1.2345678901234567e-100))
        #expect(Revocation(json: user.serialized) == user)
    }

    @Test func everyEscapeOfTheLongestNameIsRead() throws {
        let text = #"{"jti":"\#(String(repeating: #"\u0061"#, count: Revocation.maximumNameLength))"}"#
        let read = try #require(Revocation(json: Array(text.utf8)))
        #expect(read == Revocation(.tokenID(String(repeating: "a", count: Revocation.maximumNameLength))))
    }

    @Test(
        arguments: [
            (.tokenID("a\"b"), #"{"jti":"a\"b"}"#),
            (.subject("u", before: 1_760_000_000), #"{"sub":"u","before":1760000000}"#),
            (.client("c", before: 0.25), #"{"client":"c","before":0.25}"#),
            (.client("c", before: 1e-7), #"{"client":"c","before":1e-07}"#),
            (.subject("u", before: -.infinity), #"{"sub":"u","before":-253402300799}"#),
            (.subject("u", before: .nan), #"{"sub":"u","before":253402300799}"#),
            (.client("", before: 1e300), #"{"client":"","before":253402300799}"#),
        ] as [(Revocation.Subject, String)])
    func memberIsWrittenAndReadAgain(_ subject: Revocation.Subject, _ text: String) {
        let revocation = Revocation(subject)
        #expect(String(decoding: revocation.serialized, as: UTF8.self) == text)
        #expect(Revocation(json: revocation.serialized) == revocation)
    }

    @Test func digestIsWrittenInLowerCase() throws {
        let revocation = Revocation(.token(try #require(TokenDigest(hex: Self.hex))))
        #expect(String(decoding: revocation.serialized, as: UTF8.self) == #"{"token":"\#(Self.hex.lowercased())"}"#)
        #expect(Revocation(json: revocation.serialized) == revocation)
    }

    @Test func digestHas32Octets() throws {
        let octets = (0..<32).map { UInt8($0 * 7 & 0xFF) }
        let digest = try #require(TokenDigest(bytes: octets))
        #expect(digest.bytes == octets)
        #expect(TokenDigest(hex: String(decoding: digest.hexadecimal, as: UTF8.self)) == digest)
        for index in octets.indices {
            var changed = octets
            changed[index] ^= 1
            #expect(TokenDigest(bytes: changed) != digest)
        }
        #expect(TokenDigest(bytes: []) == nil)
        #expect(TokenDigest(bytes: Array(octets.dropLast())) == nil)
        #expect(TokenDigest(bytes: octets + [0]) == nil)
    }

    @Test(
        arguments: [
            (#"{"sub":"s","client_id":"c","jti":7,"iat":5}"#, ["s"], ["c"]),
            (#"{"sub":"s","user_id":42,"azp":"z"}"#, ["s", "42"], ["z"]),
            (#"{"user_id":"u","client_id":["odd"]}"#, ["u"], []),
            (#"{"sub":"s","user_id":"s","client_id":"c","azp":"z"}"#, ["s"], ["c", "z"]),
            (#"{"sub":{},"user_id":null}"#, [], []),
        ] as [(String, [String], [String])])
    func factsAreThoseOfTheClaimsAndOfTheMapping(_ text: String, _ subjects: [String], _ clients: [String]) throws {
        let claims = try JSONReader.parse(Array(text.utf8).span.bytes)
        let map = ClaimMap(user: [.name("user_id"), .name("nothing")], client: [.name("azp")])
        let principal = try ClaimRules.principal(
            issuer: "i", map: map, claims: claims, issuedAt: 5, notBefore: nil, expiresAt: 9)
        let facts = RevocationFacts(principal: principal, digest: Self.digest(1))
        #expect(facts.subjects == subjects)
        #expect(facts.clients == clients)
        #expect(facts.tokenID == principal.tokenID)
        #expect(facts.issuedAt == 5)
        #expect(facts.digest == Self.digest(1))
    }

    /// A compact JWS with these claims and a signature that nobody looks at.
    private static func token(_ claims: String, header: String = #"{"alg":"RS256"}"#) -> [UInt8] {
        let parts = [header, claims, "signature"].map { Base64URL.encode(Array($0.utf8)) }
        return Array(parts.joined(separator: ".").utf8)
    }

    @Test("What an introspection answer leaves out is taken from the JWT that it is about")
    func factsAreCompletedFromTheToken() {
        let token = Self.token(#"{"sub":"s","client_id":"c","jti":"j","iat":5,"exp":9}"#)
        var bare = RevocationFacts(subjects: ["u"], digest: Self.digest(1))
        bare.complete(from: token.span.bytes)
        #expect(
            bare
                == RevocationFacts(
                    tokenID: "j", subjects: ["u", "s"], clients: ["c"], issuedAt: 5, digest: Self.digest(1)))
        var same = RevocationFacts(subjects: ["s"], clients: ["c"], issuedAt: 7)
        same.complete(from: token.span.bytes)
        #expect(same == RevocationFacts(tokenID: "j", subjects: ["s"], clients: ["c"], issuedAt: 7))
        // The answer's own word counts where it gave both.
        var whole = RevocationFacts(tokenID: "x", subjects: ["u"], issuedAt: 7)
        whole.complete(from: token.span.bytes)
        #expect(whole == RevocationFacts(tokenID: "x", subjects: ["u"], issuedAt: 7))
    }

    @Test(
        "Of what is no well-formed JWT, or says nothing usable, nothing is known",
        arguments: [
            Array("opaque".utf8), Array("a.b.c".utf8), Self.token("[]"), Self.token(#"{"iat":5,"iat":6}"#),
            Self.token(#"{"iat":5}"#, header: "{}"), Self.token(#"{"iat":"5","jti":[],"sub":{}}"#),
            Self.token(#"{"iat":1e300}"#),
        ])
    func factsStayUnknown(_ token: [UInt8]) {
        var facts = RevocationFacts(subjects: ["u"])
        facts.complete(from: token.span.bytes)
        #expect(facts == RevocationFacts(subjects: ["u"]))
    }

    @Test("A token from after a cut lives, one from before it does not, although the answer says neither")
    func completedFactsAreHeldAgainstCuts() {
        var set = RevocationSet()
        set.insert(Revocation(.subject("u", before: 100)), until: .infinity)
        for (issuedAt, isRevoked) in [(99, true), (100, false)] {
            var facts = RevocationFacts(subjects: ["u"])
            facts.complete(from: Self.token(#"{"iat":\#(issuedAt)}"#).span.bytes)
            #expect(set.revokes(facts) == isRevoked)
        }
    }
}
