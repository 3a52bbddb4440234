import PosternCore
import Testing

/// A token of this header and payload with four octets as signature.
func compactToken(_ header: String, _ claims: String, signature: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
    let parts = [Array(header.utf8), Array(claims.utf8), signature].map { Base64URL.encode($0) }
    return Array(parts.joined(separator: ".").utf8)
}

@Suite("Compact token")
struct CompactTokenTests {
    private func read(_ bytes: [UInt8]) -> Result<CompactToken, TokenProblem> {
        do throws(TokenProblem) {
            return .success(try CompactToken(bytes.span.bytes))
        } catch {
            return .failure(error)
        }
    }

    @Test func partsAreTakenApart() throws {
        let bytes = compactToken(
            #"{"alg":"ES256","kid":"k","typ":"Application/AT+JWT"}"#, #"{"iss":"i","n":1}"#)
        let token = try self.read(bytes).get()
        #expect(token.algorithm == .es256)
        #expect(token.keyID == "k")
        #expect(token.type == "at+jwt")
        #expect(token.issuer == "i")
        #expect(token.claims["n"] == .number(1, text: "1"))
        #expect(token.signature == [1, 2, 3, 4])
        #expect(token.signingInput == ByteRange(0, bytes.count - 7))
    }

    @Test func whatIsAbsentIsNil() throws {
        let token = try self.read(compactToken(#"{"alg":"XS256"}"#, #"{"iss":5}"#)).get()
        #expect(token.algorithm == nil)
        #expect(token.keyID == nil)
        #expect(token.type == "jwt")
        #expect(token.issuer == nil)
    }

    @Test func emptyPartsAreReadAsEmpty() throws {
        #expect(try self.read(compactToken(#"{"alg":"RS256"}"#, "{}", signature: [])).get().signature == [])
        #expect(self.read(Array("..".utf8)) == .failure(.malformed))
    }

    @Test(
        arguments: [
            (nil, "jwt"), ("", ""), ("JWT", "jwt"), ("application/JWT", "jwt"), ("APPLICATION/at+JWT", "at+jwt"),
            ("text/jwt", "text/jwt"), ("application/", ""), ("\u{130}WT", "\u{130}wt"),
        ] as [(String?, String)])
    func typeIsNormalized(_ type: String?, _ normalized: String) {
        #expect(CompactToken.normalizedType(type) == normalized)
    }

    @Test func headerIsLimitedInOctets() {
        func header(_ count: Int) -> String {
            #"{"alg":"RS256","x":""# + String(repeating: "a", count: count - 22) + #""}"#
        }
        #expect(header(2048).utf8.count == 2048)
        #expect((try? self.read(compactToken(header(2048), "{}")).get()) != nil)
        #expect(self.read(compactToken(header(2049), "{}")) == .failure(.malformed))
    }

    @Test func fivePartsAreEncrypted() {
        #expect(self.read(Array("a.b.c.d.e".utf8)) == .failure(.encrypted))
        #expect(self.read(Array("....".utf8)) == .failure(.encrypted))
        #expect(self.read(compactToken(#"{"alg":"RS256","enc":null}"#, "{}")) == .failure(.encrypted))
    }

    @Test func randomBytesNeverTrap() {
        var generator = TokenTestGenerator(state: 5)
        let alphabet = Array("eyJhbGciOiJSUzI1NiJ9.{}\"=-_.".utf8) + [0, 0xFF]
        for _ in 0..<5000 {
            let count = Int.random(in: 0...60, using: &generator)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = self.read(bytes)
        }
        // Mutations of a good token reach deeper.
        let good = compactToken(#"{"alg":"RS256","kid":"k"}"#, #"{"iss":"i","exp":1}"#)
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...5, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                bytes[index] = alphabet.randomElement(using: &generator) ?? 0
            }
            if case .success(let token) = self.read(bytes) { #expect(token.signingInput.count < bytes.count) }
        }
    }

    @Test func descriptionsAndCodesOfProblemsAreFitForAHeader() {
        for problem in TokenProblem.allCases {
            let text = problem.description
            // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
            #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }, "\(text)")
            #expect(problem.code.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F })
        }
        #expect(Set(TokenProblem.allCases.map(\.code)).count == TokenProblem.allCases.count)
        #expect(Set(TokenProblem.allCases.map(\.description)).count == TokenProblem.allCases.count)
        #expect(TokenProblem.expired.description == "the token has expired")
    }
}

@Suite("Local validation")
struct LocalValidationTests {
    /// Accepts a signature whose only octet is the key, and counts nothing else.
    private struct FakeVerifier: SignatureVerifier {
        func verify(_ algorithm: SignatureAlgorithm, key: UInt8, message: RawSpan, signature: RawSpan) -> Bool {
            signature.byteCount == 1 && signature.byte(0) == key
        }
    }

    private let rules = IssuerRules(name: "i", issuer: "https://i", audiences: nil)
    private let validation = LocalValidation(verifier: FakeVerifier())

    private func check(_ header: String, signature: UInt8, _ keys: [VerificationKey<UInt8>]) -> Validation {
        let token = compactToken(header, #"{"iss":"https://i","exp":2000}"#, signature: [signature])
        return self.validation.check(bytes: token.span.bytes, rules: self.rules, keys: KeySet(keys), now: 1000)
    }

    private func isValid(_ validation: Validation) -> Bool {
        if case .valid = validation { true } else { false }
    }

    @Test func kidChoosesAndWithoutItAllFittingKeysAreTried() {
        let keys = [
            VerificationKey<UInt8>(keyID: "a", algorithms: [.rs256], key: 1),
            VerificationKey<UInt8>(keyID: "b", algorithms: [.rs256], key: 2),
            VerificationKey<UInt8>(keyID: "c", algorithms: [.es256], key: 3),
        ]
        #expect(self.isValid(self.check(#"{"alg":"RS256","kid":"b"}"#, signature: 2, keys)))
        #expect(self.check(#"{"alg":"RS256","kid":"a"}"#, signature: 2, keys) == .invalid(.badSignature))
        #expect(self.isValid(self.check(#"{"alg":"RS256"}"#, signature: 1, keys)))
        #expect(self.isValid(self.check(#"{"alg":"RS256"}"#, signature: 2, keys)))
        #expect(self.check(#"{"alg":"RS256"}"#, signature: 3, keys) == .invalid(.badSignature))
        #expect(self.check(#"{"alg":"RS256","kid":"c"}"#, signature: 3, keys) == .invalid(.noFittingKey))
        #expect(self.check(#"{"alg":"PS256"}"#, signature: 1, keys) == .invalid(.noFittingKey))
        #expect(self.check(#"{"alg":"RS256","kid":"d"}"#, signature: 1, keys) == .unknownKey("d"))
        #expect(self.check(#"{"alg":"RS256","kid":"a"}"#, signature: 1, []) == .invalid(.issuerUnavailable))
    }

    @Test func keyWithoutKidStandsForAnyKid() {
        let pem = [VerificationKey<UInt8>(algorithms: [.rs256], key: 1)]
        #expect(self.isValid(self.check(#"{"alg":"RS256","kid":"x"}"#, signature: 1, pem)))
        #expect(self.check(#"{"alg":"RS256","kid":"x"}"#, signature: 2, pem) == .invalid(.badSignature))
        #expect(self.check(#"{"alg":"ES256","kid":"x"}"#, signature: 1, pem) == .invalid(.noFittingKey))
        // Beside keys with names a new name may be a new key: the keys are worth fetching again.
        let mixed = pem + [VerificationKey<UInt8>(keyID: "a", algorithms: [.rs256], key: 2)]
        #expect(self.isValid(self.check(#"{"alg":"RS256","kid":"x"}"#, signature: 1, mixed)))
        #expect(self.check(#"{"alg":"RS256","kid":"x"}"#, signature: 2, mixed) == .unknownKey("x"))
        #expect(self.check(#"{"alg":"ES256","kid":"x"}"#, signature: 2, mixed) == .unknownKey("x"))
    }

    @Test func whatIsNotTheIssuersIsRefusedBeforeAnyKey() {
        let keys = [VerificationKey<UInt8>(algorithms: SignatureAlgorithm.allCases, key: 1)]
        #expect(self.check(#"{"alg":"HS256"}"#, signature: 1, keys) == .invalid(.algorithmNotAllowed))
        #expect(self.check(#"{"alg":"none"}"#, signature: 1, keys) == .invalid(.algorithmNotAllowed))
        #expect(self.check(#"{"alg":"RS256","typ":"x"}"#, signature: 1, keys) == .invalid(.wrongType))
        let foreign = compactToken(#"{"alg":"RS256"}"#, #"{"iss":"https://j","exp":2000}"#, signature: [1])
        #expect(
            self.validation.check(bytes: foreign.span.bytes, rules: self.rules, keys: KeySet(keys), now: 1000)
                == .invalid(.unknownIssuer))
        // Rules without an iss are for introspection: they accept nothing here, a token without iss included.
        let open = IssuerRules(name: "i", issuer: nil, audiences: nil)
        let none = compactToken(#"{"alg":"RS256"}"#, "{}", signature: [1])
        for token in [foreign, none] {
            #expect(
                self.validation.check(bytes: token.span.bytes, rules: open, keys: KeySet(keys), now: 1000)
                    == .invalid(.unknownIssuer))
        }
        #expect(
            self.validation.check(bytes: none.span.bytes, rules: self.rules, keys: KeySet(keys), now: 1000)
                == .invalid(.unknownIssuer))
    }
}
