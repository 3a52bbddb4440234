import PosternCore
import Testing

@Suite("JWK and JWK sets")
struct KeyDocumentTests {
    private static let modulus = String(repeating: "v", count: 342)
    private static let coordinate = String(repeating: "A", count: 43)

    private static func rsa(_ more: String = "") -> String {
        #"{"kty":"RSA","n":"\#(Self.modulus.dropLast())w","e":"AQAB"\#(more)}"#
    }

    private static func ec(_ more: String = "") -> String {
        #"{"kty":"EC","crv":"P-256","x":"\#(Self.coordinate)","y":"\#(Self.coordinate)"\#(more)}"#
    }

    private static func okp(_ more: String = "") -> String {
        #"{"kty":"OKP","crv":"Ed25519","x":"\#(Self.coordinate)"\#(more)}"#
    }

    private func read(_ text: String) throws -> JWK {
        let bytes = Array(text.utf8)
        return try JWK(json: JSONReader.parse(bytes.span.bytes))
    }

    private func set(_ text: String) -> Result<JWKSet, JWKSetProblem> {
        let bytes = Array(text.utf8)
        do throws(JWKSetProblem) {
            return .success(try JWKSet(bytes.span.bytes))
        } catch {
            return .failure(error)
        }
    }

    static let rsaAlgorithms: [SignatureAlgorithm] = [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]

    static let fitting: [(String, [SignatureAlgorithm])] = [
        (Self.rsa(), Self.rsaAlgorithms), (Self.ec(), [.es256]), (Self.okp(), [.eddsa]),
        (Self.rsa(#","alg":"RS256""#), [.rs256]), (Self.rsa(#","alg":"PS512""#), [.ps512]),
        (Self.rsa(#","alg":"ES256""#), []), (Self.rsa(#","alg":"HS256""#), []), (Self.rsa(#","alg":"RSA-OAEP""#), []),
        (Self.rsa(#","alg":"rs256""#), []), (Self.ec(#","alg":"ES256""#), [.es256]), (Self.ec(#","alg":"ES384""#), []),
        (Self.okp(#","alg":"EdDSA""#), [.eddsa]), (Self.okp(#","alg":"Ed25519""#), [.eddsa]),
        (Self.ec(#","alg":"Ed25519""#), []), (Self.rsa(#","alg":null"#), Self.rsaAlgorithms),
        (Self.rsa(#","use":"sig""#), Self.rsaAlgorithms), (Self.rsa(#","use":"enc""#), []),
        (Self.rsa(#","use":"SIG""#), []),
        (Self.rsa(#","key_ops":["verify"]"#), Self.rsaAlgorithms),
        (Self.rsa(#","key_ops":["sign","verify"]"#), Self.rsaAlgorithms),
        (Self.rsa(#","key_ops":["sign"]"#), []), (Self.rsa(#","key_ops":[]"#), []),
        (Self.rsa(#","key_ops":["encrypt"]"#), []),
        (Self.rsa(#","x5c":["AAAA"],"x5u":"https://x","unknown":{}"#), Self.rsaAlgorithms),
    ]

    @Test(arguments: Self.fitting)
    func keyFitsTheAlgorithmsOfItsTypeNarrowedByItsMembers(_ text: String, _ algorithms: [SignatureAlgorithm]) throws {
        #expect(try self.read(text).algorithms == algorithms)
    }

    static let refused: [(String, String)] = [
        ("[]", "a key is not a JSON object"), ("{}", "a key has no kty"),
        (#"{"kty":1}"#, "the member kty of a key is not a string"),
        (#"{"kty":"oct","k":"AAAA"}"#, "an oct key is not taken from a key set: give a shared secret as `secret`"),
        (#"{"kty":"rsa"}"#, "the key type rsa is not supported"), (#"{"kty":"RSA","e":"AQAB"}"#, "the key has no n"),
        (Self.rsa(#","d":"AQAB""#), "the key holds the private member d: a key set must hold public keys only"),
        (Self.ec(#","d":"AQAB""#), "the key holds the private member d: a key set must hold public keys only"),
        (Self.okp(#","d":null"#), "the key holds the private member d: a key set must hold public keys only"),
        (Self.rsa(#","qi":"AQAB""#), "the key holds the private member qi: a key set must hold public keys only"),
        (Self.rsa(#","kid":1"#), "the member kid of a key is not a string"),
        (Self.rsa(#","use":1"#), "the member use of a key is not a string"),
        (Self.rsa(#","alg":1"#), "the member alg of a key is not a string"),
        (Self.rsa(#","key_ops":"verify""#), "key_ops is not an array"),
        (#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "the RSA key has 17 bits; 2048 are the least that is accepted"),
        (#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#, "the RSA modulus n is zero"),
        (#"{"kty":"RSA","n":"AQ==","e":"AQAB"}"#, "the member n of a key is not base64url without padding"),
        (#"{"kty":"RSA","n":"\#(Self.modulus.dropLast())w","e":"AQ"}"#, "the RSA exponent e is not usable"),
        (#"{"kty":"RSA","n":"\#(Self.modulus.dropLast())w","e":"Ag"}"#, "the RSA exponent e is not usable"),
        (#"{"kty":"RSA","n":"\#(Self.modulus.dropLast())w","e":"AA"}"#, "the RSA exponent e is not usable"),
        (
            #"{"kty":"RSA","n":"\#(Self.modulus.dropLast())w","e":"_____________"}"#,
            "the member e of a key is not base64url without padding"
        ),
        (#"{"kty":"RSA","n":"\#(Self.modulus.dropLast())w","e":"AQAAAAAAAAAB"}"#, "the RSA exponent e is not usable"),
        (
            #"{"kty":"RSA","n":"\#(String(repeating: "v", count: 1368))","e":"AQAB"}"#,
            "the RSA key has 8208 bits; 8192 are the most that is accepted"
        ),
        (#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#, "x and y of a P-256 key must be 32 octets each"),
        (#"{"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA"}"#, "the curve \"secp256k1\" is not supported"),
        (#"{"kty":"EC","x":"AAAA","y":"AAAA"}"#, "the curve \"\" is not supported"),
        (#"{"kty":"OKP","crv":"X25519","x":"AAAA"}"#, "the curve \"X25519\" is not supported"),
        (#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#, "the curve \"Ed448\" is not supported"),
        (#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#, "x of an Ed25519 key must be 32 octets"),
    ]

    @Test(arguments: Self.refused)
    func keyIsRefusedWithItsReason(_ text: String, _ reason: String) {
        #expect(throws: JWKProblem(reason)) { try self.read(text) }
    }

    @Test func leadingZerosOfAModulusDoNotCount() throws {
        let padded = #"{"kty":"RSA","n":"AAAA\#(Self.modulus.dropLast())w","e":"AAEAAQ"}"#
        #expect(try self.read(padded) == self.read(Self.rsa()))
    }

    @Test func oneBadKeyDoesNotTakeTheOthersWithIt() throws {
        let text =
            #"{"keys":[\#(Self.rsa(#","kid":"a""#)),{"kty":"oct","kid":"b"},7,\#(Self.ec(#","use":"enc""#)),\#(Self.okp())]}"#
        let set = try self.set(text).get()
        #expect(set.keys.map(\.keyID) == ["a", nil])
        #expect(set.positions == [0, 4])
        #expect(set.skipped.map(\.index) == [1, 2, 3])
        #expect(set.skipped.map(\.keyID) == ["b", nil, nil])
        #expect(set.skipped.map(\.reason)[1] == "a key is not a JSON object")
        #expect(set.skipped.map(\.reason)[2] == "its use, key_ops or alg is not for signatures")
        #expect(try JWKSet.parse(Array(text.utf8).span.bytes) == set.keys)
    }

    @Test(arguments: [
        ("[]", "the key set is not a JSON object"), ("{}", "the key set has no array `keys`"),
        (#"{"keys":{}}"#, "the key set has no array `keys`"), (#"{"keys":null}"#, "the key set has no array `keys`"),
        ("<html>", "the key set is not JSON: an unexpected character (at byte 0)"),
        ("", "the key set is not JSON: the document ends too early (at byte 0)"),
        (#"{"keys":[],"keys":[]}"#, "the key set is not JSON: an object has two members of the same name (at byte 17)"),
    ])
    func documentIsRefusedWithItsReason(_ text: String, _ reason: String) {
        #expect(self.set(text) == .failure(JWKSetProblem(reason)))
    }

    @Test func setOfNothingIsEmptyAndSetOfTooMuchIsRefused() throws {
        #expect(try self.set(#"{"keys":[]}"#).get().keys.isEmpty)
        let many = "{\"keys\":[" + (0..<257).map { _ in "{}" }.joined(separator: ",") + "]}"
        #expect(self.set(many) == .failure(JWKSetProblem("the key set has 257 keys; 256 are the most that is read")))
    }

    @Test func candidatesAreThoseThatFitKidAndAlgorithm() {
        let keys = KeySet<Int>([
            VerificationKey(keyID: "a", algorithms: [.rs256, .ps256], key: 1),
            VerificationKey(keyID: "b", algorithms: [.rs256], key: 2),
            VerificationKey(keyID: nil, algorithms: [.rs256], key: 3),
            VerificationKey(keyID: "a", algorithms: [.es256], key: 4),
        ])
        func candidates(_ keyID: String?, _ algorithm: SignatureAlgorithm) -> [Int] {
            keys.candidates(keyID: keyID, algorithm: algorithm).map(\.key)
        }
        #expect(candidates("a", .rs256) == [1, 3])
        #expect(candidates("a", .es256) == [4])
        #expect(candidates(nil, .rs256) == [1, 2, 3])
        #expect(candidates("c", .rs256) == [3])
        #expect(candidates("c", .es256) == [])
        #expect(candidates("A", .es256) == [])
        #expect(candidates("a", .hs256) == [])
        #expect(keys.names(keyID: "b"))
        #expect(!keys.names(keyID: "c"))
        #expect(keys.namesKeys)
        #expect(!KeySet([VerificationKey(algorithms: [.hs256], key: 1)]).namesKeys)
        #expect(KeySet<Int>().isEmpty)
    }

    @Test func kidsInTwoUnicodeFormsAreTwoNames() {
        let keys = KeySet([VerificationKey(keyID: "\u{E9}", algorithms: [.rs256], key: 1)])
        #expect(keys.names(keyID: "\u{E9}"))
        #expect(!keys.names(keyID: "e\u{301}"))
        #expect(keys.candidates(keyID: "e\u{301}", algorithm: .rs256).isEmpty)
    }
}
