import PosternCore
import PosternCrypto
import Testing

@testable import PosternIssuer

@Suite struct DecoyKeysTests {
    @Test("There is one key to verify with for each algorithm, whatever the client has")
    func always() throws {
        let decoys = DecoyKeys()
        for algorithm in ClientAssertion.algorithms {
            let key = try SigningKey.generate(algorithm)
            let assertion = try ClientAssertion(
                try SignedAssertion(key).text(), clientID: nil, audiences: [TestIssuer.url], now: 1_760_000_000)
            let other: SignatureAlgorithm = algorithm == .eddsa ? .es256 : .eddsa
            let foreign = JSONValue.record([
                ("keys", .array([try SigningKey.generate(other).publicJWK(kid: "k1")]))
            ])
            let named = JSONValue.record([("keys", .array([key.publicJWK(kid: "k2")]))])
            for keySet in [nil, "{\"keys\":[]}", "rubbish", foreign.serialized(), named.serialized()] {
                let found = decoys.keys(for: assertion, of: keySet)
                #expect(found.areDecoys && found.set.keys.count == 1)
                #expect(found.set.candidates(keyID: "k1", algorithm: algorithm).count == 1)
                #expect(assertion.verify(with: found.set, now: 1_760_000_000) == .token(.badSignature))
            }
            let own = JSONValue.record([("keys", .array([key.publicJWK(kid: "k1")]))])
            let found = decoys.keys(for: assertion, of: own.serialized())
            #expect(!found.areDecoys && assertion.verify(with: found.set, now: 1_760_000_000) == nil)
        }
    }
}
