import Foundation
import PosternCore
import PosternCrypto
import Testing

/// Key documents come from the network and from files: whatever is in them, reading ends with keys or an error.
@Suite("Mutated key documents")
struct KeyMutationTests {
    private func mutate(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var mutated = bytes
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let index = Int.random(in: mutated.indices, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: mutated[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: mutated[index] = bytes.randomElement(using: &generator) ?? 0
            case 2: mutated.remove(at: index)
            default: mutated.removeSubrange(index..<min(index + 20, mutated.count - 1))
            }
        }
        return mutated
    }

    private func document(_ name: String, _ member: String) throws -> JSONValue {
        let bytes = [UInt8](try Data(contentsOf: TokenFixture.file))
        let json = try JSONReader.parse(bytes.span.bytes)
        return try #require(json["keys"]?[name]?[member])
    }

    @Test func mutatedKeySetNeverTraps() throws {
        let bytes = Array(try self.document("main", "jwks").serialized().utf8)
        var generator = SeededGenerator(state: 1)
        var loaded = 0
        for _ in 0..<500 {
            if let result = try? KeySet<PublicKey>.load(file: self.mutate(bytes, &generator)) {
                loaded += 1
                #expect(!result.keys.isEmpty)
                #expect(
                    result.keys.keys.allSatisfy { !$0.algorithms.isEmpty && !$0.algorithms.contains(where: \.isHMAC) })
            }
        }
        // Most mutations break only one key, and the others stay.
        #expect(loaded > 50)
    }

    @Test func mutatedPEMNeverTraps() throws {
        let bytes = Array((try self.document("pem", "pem").string ?? "").utf8)
        var generator = SeededGenerator(state: 2)
        var refused = 0
        for _ in 0..<500 {
            do throws(CryptoError) {
                #expect(try !PublicKey.fromPEM(self.mutate(bytes, &generator)).isEmpty)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 50)
    }

    @Test func mutatedPKCS8NeverTraps() throws {
        var generator = SeededGenerator(state: 3)
        for algorithm in [SignatureAlgorithm.rs256, .es256, .eddsa] {
            let bytes = try SigningKey.generate(algorithm).exportPKCS8()
            for _ in 0..<200 {
                // What is read after all is a key of the algorithm that was asked for.
                if let key = try? SigningKey(pkcs8: self.mutate(bytes, &generator), algorithm: algorithm) {
                    #expect(key.publicKey.algorithms == [algorithm])
                }
            }
        }
    }
}
