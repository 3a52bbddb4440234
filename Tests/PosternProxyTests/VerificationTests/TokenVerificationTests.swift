import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// Two issuers, each with its own key under the same `kid`: whatever a token says, only the keys of the issuer that it
/// names exactly may verify it.
@Suite struct TokenVerificationTests {
    private let one: SigningKey
    private let two: SigningKey
    private let snapshot: Snapshot

    init() throws {
        self.one = try SigningKey.generate(.es256)
        self.two = try SigningKey.generate(.eddsa)
        self.snapshot = try Self.snapshot(self.one, self.two)
    }

    private static func snapshot(
        _ one: SigningKey, _ two: SigningKey, _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> Snapshot {
        var configuration = try Snapshots.configuration(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers:
              one:
                issuer: https://one.test
                audiences: any
                keys: {inline: \(Mint.keySet([("k", one)]).serialized())}
              two:
                issuer: https://one.test/
                audiences: any
                keys: {inline: \(Mint.keySet([("k", two)]).serialized())}
            routes: {GET /: public}

            """)
        change(&configuration)
        return try Snapshot(configuration, generation: 1, labels: RouteLabels(), loops: 1)
    }

    private func verify(
        _ token: [UInt8], _ snapshot: Snapshot? = nil, keys: [KeySet<PublicKey>]? = nil
    ) -> TokenVerification.Verdict {
        let snapshot = snapshot ?? self.snapshot
        return TokenVerification.verify(
            token.span.bytes, snapshot: snapshot, keys: keys ?? snapshot.issuers.map { $0.fixedKeys ?? KeySet() },
            now: Mint.now)
    }

    private static func claims(_ issuer: String) -> String { #""iss":"\#(issuer)","sub":"u1","exp":1800000060"# }

    // MARK: - Choosing the issuer

    @Test func tokenIsJudgedByTheIssuerItNames() throws {
        let first = try self.verify(Mint.token(self.one, kid: "k", Self.claims("https://one.test")))
        let second = try self.verify(Mint.token(self.two, kid: "k", Self.claims("https://one.test/")))
        #expect(first.principal?.issuer == "one")
        #expect(first.principal?.user == "u1")
        #expect(second.principal?.issuer == "two")
    }

    @Test(arguments: ["https://one.test", "https://one.test/"])
    func keyOfTheOtherIssuerVerifiesNothing(issuer: String) throws {
        let wrong = issuer.hasSuffix("/") ? self.one : self.two
        for kid in ["k", nil] {
            let verdict = try self.verify(Mint.token(wrong, kid: kid, Self.claims(issuer)))
            #expect(verdict.problem == .noFittingKey || verdict.problem == .badSignature)
        }
    }

    @Test(arguments: [
        "https://ONE.test", "HTTPS://one.test", "https://one.test//", "https://one.tes", "https://one.test ",
        " https://one.test",
        "https://one.test:443", "http://one.test", "one", "", "https://one.test\\u0000", "https://one.test\\n",
    ])
    func nearlyTheSameIssuerIsUnknown(issuer: String) throws {
        for key in [self.one, self.two] {
            let verdict = try self.verify(Mint.token(key, kid: "k", Self.claims(issuer)))
            #expect(verdict.problem == .unknownIssuer)
        }
    }

    @Test func anotherUnicodeFormOfTheIssuerIsUnknown() throws {
        let composed = "https://caf\u{E9}.test"
        let decomposed = "https://cafe\u{301}.test"
        #expect(composed == decomposed, "equal as strings, which is not enough")
        let snapshot = try Self.snapshot(self.one, self.two) { $0.issuers[0].rules.issuer = composed }
        let good = try self.verify(Mint.token(self.one, Self.claims(composed)), snapshot)
        let bad = try self.verify(Mint.token(self.one, Self.claims(decomposed)), snapshot)
        #expect(good.principal?.issuer == "one")
        #expect(bad.problem == .unknownIssuer)
    }

    @Test func twoIssuersThatDifferInUnicodeFormAloneAreKeptApart() throws {
        let snapshot = try Self.snapshot(self.one, self.two) {
            $0.issuers[0].rules.issuer = "https://caf\u{E9}.test"
            $0.issuers[1].rules.issuer = "https://cafe\u{301}.test"
        }
        let second = try self.verify(Mint.token(self.two, Self.claims("https://cafe\u{301}.test")), snapshot)
        let stranger = try self.verify(Mint.token(self.one, Self.claims("https://cafe\u{301}.test")), snapshot)
        #expect(second.principal?.issuer == "two")
        #expect(stranger.problem == .noFittingKey)
    }

    @Test(arguments: [
        #""sub":"u""#, #""iss":null"#, #""iss":["https://one.test"]"#, #""iss":{"a":"https://one.test"}"#, #""iss":1"#,
    ])
    func tokenThatNamesNoIssuerIsRefused(claims: String) throws {
        let token = try Mint.token(self.one, kid: "k", claims + #","exp":1800000060"#)
        #expect(self.verify(token).problem == .unknownIssuer)
    }

    @Test func secondIssInTheTokenIsRefused() throws {
        let token = try Mint.token(
            self.one, kid: "k", Self.claims("https://one.test") + #","iss":"https://one.test/""#)
        #expect(self.verify(token).problem == .malformed)
    }

    // MARK: - Verdicts

    @Test(arguments: ["", "a", "a.b", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30."])
    func whatIsNoTokenIsInvalid(text: String) {
        #expect(self.verify(Array(text.utf8)).problem != nil)
    }

    @Test func issuerWithoutKeysIsUnavailableUnderItsOwnIndex() throws {
        let keys = [KeySet<PublicKey>(), KeySet<PublicKey>()]
        for (index, row) in [(self.one, "https://one.test"), (self.two, "https://one.test/")].enumerated() {
            let verdict = self.verify(try Mint.token(row.0, kid: "k", Self.claims(row.1)), keys: keys)
            guard case .unavailable(issuer: index) = verdict else {
                Issue.record("\(verdict)")
                continue
            }
        }
    }

    @Test func keysOfOneIssuerDoNotHelpTheOther() throws {
        let keys = [KeySet<PublicKey>(), self.snapshot.issuers[0].fixedKeys ?? KeySet()]
        let verdict = self.verify(try Mint.token(self.one, kid: "k", Self.claims("https://one.test")), keys: keys)
        guard case .unavailable(issuer: 0) = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test func unknownKeyIsSaidWithItsNameAndIssuer() throws {
        let verdict = self.verify(try Mint.token(self.two, kid: "new", Self.claims("https://one.test/")))
        guard case .unknownKey(issuer: 1, keyID: "new") = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test func expiredTokenIsInvalid() throws {
        let token = try Mint.token(self.one, kid: "k", #""iss":"https://one.test","sub":"u","exp":1799999000"#)
        #expect(self.verify(token).problem == .expired)
    }
}

extension TokenVerification.Verdict {
    fileprivate var principal: Principal? {
        if case .valid(let principal, _) = self { principal } else { nil }
    }

    fileprivate var problem: TokenProblem? {
        if case .invalid(let problem) = self { problem } else { nil }
    }
}
