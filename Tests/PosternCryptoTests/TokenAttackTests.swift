import PosternCore
import PosternCrypto
import Testing

@Suite("JWTs minted by another implementation")
struct TokenAttackTests {
    private let fixture: TokenFixture
    private let keySets: [String: KeySet<PublicKey>]
    private let validation = LocalValidation(verifier: OpenSSLVerifier())

    init() throws {
        self.fixture = try TokenFixture.shared.get()
        self.keySets = try TokenFixture.keySets.get()
    }

    private func validate(_ token: [UInt8], _ row: TokenFixture.Case) throws -> Validation {
        let keys = try #require(self.keySets[row.keys])
        return self.validation.check(
            bytes: token.span.bytes, rules: self.fixture.rules(row), keys: keys, now: row.now ?? self.fixture.now)
    }

    @Test func theFixtureIsWhole() {
        #expect(self.fixture.cases.count > 300)
        #expect(Set(self.fixture.cases.map(\.name)).count == self.fixture.cases.count)
        #expect(Set(self.keySets.keys) == ["main", "empty", "pem", "certificate", "secret"])
    }

    @Test(arguments: TokenFixture.cases)
    func tokenIsJudgedAsExpected(_ row: TokenFixture.Case) throws {
        #expect(verdict(try self.validate(Array(row.token.utf8), row)) == row.expect)
    }

    @Test func aValidTokenSpeaksForWhomItNames() throws {
        let row = try #require(self.fixture.cases.first { $0.expect == "valid" })
        guard case .valid(let principal) = try self.validate(Array(row.token.utf8), row) else {
            Issue.record("not valid")
            return
        }
        #expect(principal.issuer == "permiso")
        #expect(principal.user == "mt5-api-service")
        #expect(principal.client == "mt5-api-service")
        #expect(principal.scopes == ["trade:read", "account:read"])
        #expect(principal.tokenID == "id-1")
        #expect(principal.claims["is_trusted"] == .bool(true))
        #expect(principal.expiresAt == self.fixture.now + 3600)
        #expect(principal.issuedAt == self.fixture.now - 60)
        #expect(principal.admin == nil)
    }

    /// One valid token of each kind of key.
    private var validOfEachKind: [TokenFixture.Case] {
        [
            "RS256 with an RSA key of 2048 bits", "PS256 with an RSA key of 2048 bits", "ES256", "EdDSA",
            "HS256 with a secret",
        ]
        .compactMap { name in self.fixture.cases.first { $0.name == "\(name) is valid" } }
    }

    @Test func everyFlippedBitIsRefused() throws {
        let rows = self.validOfEachKind
        #expect(rows.count == 5)
        for row in rows {
            let token = Array(row.token.utf8)
            // Every bit of the signature's beginning and end and of every seventh character of the rest.
            let dot = try #require(token.lastIndex(of: UInt8(ascii: ".")))
            for index in token.indices where index % 7 == 0 || index >= token.count - 12 || abs(index - dot) < 12 {
                for bit in 0..<8 {
                    var flipped = token
                    flipped[index] ^= 1 << UInt8(bit)
                    #expect(
                        verdict(try self.validate(flipped, row)) != "valid", "\(row.name), byte \(index) bit \(bit)")
                }
            }
        }
    }

    @Test func everyTruncationIsRefused() throws {
        for row in self.validOfEachKind {
            let token = Array(row.token.utf8)
            for count in token.indices {
                #expect(verdict(try self.validate(Array(token.prefix(count)), row)) != "valid", "\(count) bytes")
                #expect(verdict(try self.validate(Array(token.suffix(count)), row)) != "valid", "last \(count) bytes")
            }
        }
    }

    @Test func randomMutationsAreRefusedAndNeverTrap() throws {
        var generator = SeededGenerator(state: 20_261)
        for row in self.validOfEachKind {
            let token = Array(row.token.utf8)
            for _ in 0..<400 {
                var mutated = token
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let index = Int.random(in: mutated.indices, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: mutated[index] = UInt8.random(in: 0...255, using: &generator)
                    case 1: mutated.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                    case 2: mutated.remove(at: index)
                    default: mutated.swapAt(index, Int.random(in: mutated.indices, using: &generator))
                    }
                }
                guard mutated != token else { continue }
                #expect(
                    verdict(try self.validate(mutated, row)) != "valid", "\(String(decoding: mutated, as: UTF8.self))")
            }
        }
    }
}
