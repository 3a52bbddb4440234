import Foundation
import PosternCore
import PosternCrypto
import Testing

@Suite("Keys")
struct KeyTests {
    static let asymmetric = SignatureAlgorithm.allCases.filter { !$0.isHMAC }

    private func pem(_ label: String, _ der: [UInt8]) -> [UInt8] {
        let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return Array("-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n".utf8)
    }

    @Test(arguments: Self.asymmetric)
    func generatedKeySignsWhatItsPublicHalfVerifies(_ algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.generate(algorithm)
        let message = Array("message".utf8)
        let signature = try key.sign(message)
        // The public half goes through its JSON, as at the issuer and the proxy.
        let text = key.publicJWK(kid: key.thumbprint()).serialized()
        let jwk = try JWK(json: JSONReader.parse(Array(text.utf8).span.bytes))
        #expect(jwk.keyID == key.thumbprint())
        #expect(jwk.algorithms == [algorithm])
        #expect(jwk.material == key.publicKey.material)
        let publicKey = try PublicKey(jwk: jwk)
        func verifies(_ signature: [UInt8], _ message: [UInt8], _ algorithm: SignatureAlgorithm) -> Bool {
            OpenSSLVerifier().verify(
                algorithm, key: publicKey, message: message.span.bytes, signature: signature.span.bytes)
        }
        #expect(verifies(signature, message, algorithm))
        #expect(!verifies(signature, message + [0], algorithm))
        #expect(!verifies([], message, algorithm))
        for other in SignatureAlgorithm.allCases where other != algorithm {
            #expect(!verifies(signature, message, other), "\(other)")
        }
    }

    @Test(arguments: Self.asymmetric)
    func keySurvivesPKCS8(_ algorithm: SignatureAlgorithm) throws {
        let key = try SigningKey.generate(algorithm)
        let again = try SigningKey(pkcs8: try key.exportPKCS8(), algorithm: algorithm)
        #expect(again.publicKey == key.publicKey)
        #expect(again.thumbprint() == key.thumbprint())
        #expect(throws: CryptoError.self) {
            try SigningKey(pkcs8: try key.exportPKCS8(), algorithm: algorithm == .eddsa ? .es256 : .eddsa)
        }
    }

    @Test func brokenPKCS8IsRefused() throws {
        let der = try SigningKey.generate(.es256).exportPKCS8()
        #expect(throws: CryptoError.self) { try SigningKey(pkcs8: [], algorithm: .es256) }
        for count in stride(from: 1, to: der.count, by: 5) {
            #expect(throws: CryptoError.self) { try SigningKey(pkcs8: Array(der.prefix(count)), algorithm: .es256) }
        }
        #expect(throws: CryptoError.self) { try SigningKey.generate(.hs256) }
    }

    @Test func thumbprintOfRFC7638() throws {
        let modulus = """
            0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF\
            V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9\
            c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1\
            jF44-csFCur-kEgU8awapJzKnqDKgw
            """
        let json = try JSONReader.parse(Array(#"{"kty":"RSA","n":"\#(modulus)","e":"AQAB"}"#.utf8).span.bytes)
        #expect(try PublicKey(jwk: JWK(json: json)).algorithms.count == 6)
        #expect(try JWK(json: json).thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    @Test(arguments: [0, 1, 31])
    func shortSecretIsRefused(_ count: Int) {
        #expect(throws: CryptoError.self) { try PublicKey(secret: [UInt8](repeating: 1, count: count)) }
    }

    @Test(arguments: [
        (32, [SignatureAlgorithm.hs256]), (47, [.hs256]), (48, [.hs256, .hs384]), (64, [.hs256, .hs384, .hs512]),
    ])
    func secretFitsAlgorithmsByItsLength(_ count: Int, _ algorithms: [SignatureAlgorithm]) throws {
        #expect(try PublicKey(secret: [UInt8](repeating: 1, count: count)).algorithms == algorithms)
    }

    @Test func privateKeyInPEMIsRefusedWithAClearMessage() throws {
        let key = try SigningKey.generate(.es256)
        #expect(throws: CryptoError.badKey("this is a private key: give the public key alone (openssl pkey -pubout)")) {
            try PublicKey.fromPEM(self.pem("PRIVATE KEY", try key.exportPKCS8()))
        }
        for label in ["RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
            #expect(
                throws: CryptoError.badKey("this is a private key: give the public key alone (openssl pkey -pubout)")
            ) {
                try PublicKey.fromPEM(self.pem(label, [0x30, 0]))
            }
        }
    }

    @Test(arguments: [
        "", "no key in here", "-----BEGIN PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ])
    func brokenPEMIsRefused(_ text: String) {
        #expect(throws: CryptoError.self) { try PublicKey.fromPEM(Array(text.utf8)) }
    }

    @Test func pemOfOtherThingsIsRefused() {
        for label in ["RSA PUBLIC KEY", "X509 CRL", "CERTIFICATE REQUEST", "SSH2 PUBLIC KEY"] {
            #expect(throws: CryptoError.self, "\(label)") { try PublicKey.fromPEM(self.pem(label, [0x30, 0])) }
        }
    }

    @Test func weakAndOddKeysInPEMAreRefused() throws {
        let fixture = try TokenFixture.shared.get()
        let weak = CryptoError.weakKey("the RSA key has 1024 bits; 2048 are the least that is accepted")
        #expect(throws: weak) { try PublicKey.fromPEM(Array(fixture.weak.pem.utf8)) }
        #expect(throws: CryptoError.badKey("the curve of the key is not P-256, P-384 or P-521")) {
            try PublicKey.fromPEM(Array(fixture.secp256k1.pem.utf8))
        }
    }

    @Test func severalKeysOfOnePEMDocumentAreReadInOrder() throws {
        let keys = try #require(try TokenFixture.keySets.get()["pem"]).keys
        #expect(keys.map(\.algorithms.first) == [.rs256, .es256, .es384, .es512, .eddsa])
        #expect(keys.allSatisfy { $0.keyID == nil })
    }

    @Test func keysThatCannotBeUsedAreLeftOutAndSaid() throws {
        let bytes = [UInt8](try Data(contentsOf: TokenFixture.file))
        let json = try #require(try JSONReader.parse(bytes.span.bytes)["keys"]?["main"]?["jwks"])
        let (keys, skipped) = KeySet<PublicKey>.load(try JWKSet(json: json))
        #expect(
            keys.keys.map(\.keyID) == [
                "rsa-1", "rsa-2", "rsa-rs256", "rsa-3072", "ec-256", "ec-384", "ec-521", "ed-1",
            ])
        #expect(
            Dictionary(uniqueKeysWithValues: skipped.map { ($0.keyID ?? "", $0.reason) }) == [
                "rsa-weak": "the RSA key has 1024 bits; 2048 are the least that is accepted",
                "rsa-2047": "the RSA key has 2047 bits; 2048 are the least that is accepted",
                "rsa-enc": "its use, key_ops or alg is not for signatures",
                "rsa-ops": "its use, key_ops or alg is not for signatures",
                "rsa-private": "the key holds the private member d: a key set must hold public keys only",
                "ec-k1": "the curve \"secp256k1\" is not supported",
                "shared": "an oct key is not taken from a key set: give a shared secret as `secret`",
                "future": "the key type AKP is not supported",
                "not-a-point": "x and y are not a point on P-256",
            ])
        #expect(skipped.first { $0.keyID == "not-a-point" }?.index == 16)
    }

    @Test func fileIsReadByItsFirstCharacter() throws {
        let fixture = [UInt8](try Data(contentsOf: TokenFixture.file))
        let keys = try #require(try JSONReader.parse(fixture.span.bytes)["keys"])
        let set = " \n" + (keys["main"]?["jwks"]?.serialized() ?? "")
        #expect(try KeySet<PublicKey>.load(file: Array(set.utf8)).keys.keys.count == 8)
        #expect(try KeySet<PublicKey>.load(file: Array((keys["pem"]?["pem"]?.string ?? "").utf8)).keys.keys.count == 5)
        #expect(throws: CryptoError.badKey("the key set has no keys")) {
            try KeySet<PublicKey>.load(file: Array(#"{"keys":[]}"#.utf8))
        }
        #expect(throws: CryptoError.self) { try KeySet<PublicKey>.load(file: Array("{".utf8)) }
        #expect(throws: CryptoError.self) { try KeySet<PublicKey>.load(file: Array(#"{"keys":[{"kty":"oct"}]}"#.utf8)) }
    }

    @Test func oneKeyVerifiesOnManyThreadsAtOnce() async throws {
        for algorithm in [SignatureAlgorithm.rs256, .es256, .eddsa] {
            let key = try SigningKey.generate(algorithm)
            let publicKey = try PublicKey(jwk: key.publicKey)
            let message = Array("message".utf8)
            let signature = try key.sign(message)
            let failures = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        (0..<200).count { _ in
                            !OpenSSLVerifier().verify(
                                algorithm, key: publicKey, message: message.span.bytes, signature: signature.span.bytes)
                        }
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(failures == 0)
        }
    }
}
