import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

/// Which issuers are asked about which token: one with keys, one that is asked and has an `iss`, and two that are asked about
/// anything else.
@Suite struct IntrospectionChoiceTests {
    private let key: SigningKey
    private let snapshot: Snapshot

    init() throws {
        self.key = try SigningKey.generate(.es256)
        self.snapshot = try Self.snapshot(self.key, open: true)
    }

    private static func snapshot(_ key: SigningKey, open: Bool) throws -> Snapshot {
        let others = """
              open1: {introspection: {url: "http://127.0.0.1:1/open1", credentials: {bearer: k}}}
              open2: {introspection: {url: "http://127.0.0.1:1/open2", credentials: {bearer: k}}}

            """
        return try Snapshots.make(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            routes: {GET /: public}
            issuers:
              named:
                issuer: https://named.test
                introspection: {url: "http://127.0.0.1:1/named", credentials: {bearer: k}}
              local:
                issuer: https://local.test
                audiences: any
                keys: {inline: \(Mint.keySet([("k", key)]).serialized())}

            """ + (open ? others : ""))
    }

    private func verify(_ token: [UInt8], _ snapshot: Snapshot? = nil) -> TokenVerification.Verdict {
        let snapshot = snapshot ?? self.snapshot
        return TokenVerification.verify(
            token.span.bytes, snapshot: snapshot, keys: snapshot.issuers.map { $0.fixedKeys ?? KeySet() },
            now: Mint.now)
    }

    private func jwt(_ issuer: String, _ key: SigningKey? = nil) throws -> [UInt8] {
        try Mint.token(key ?? self.key, kid: "k", #""iss":"\#(issuer)","sub":"u1","exp":1800000060"#)
    }

    @Test func issuerThatTheTokenNamesIsAskedAlone() throws {
        #expect(self.verify(try self.jwt("https://named.test")).asked == [0])
    }

    @Test func issuerWithKeysIsNeverAsked() throws {
        guard case .valid(let principal, issuer: 1) = self.verify(try self.jwt("https://local.test")) else {
            Issue.record("it is valid")
            return
        }
        #expect(principal.issuer == "local")
        let forged = self.verify(try self.jwt("https://local.test", SigningKey.generate(.es256)))
        guard case .invalid(.badSignature) = forged else {
            Issue.record("\(forged)")
            return
        }
    }

    @Test(arguments: ["opaque-token", "a.b.c", "ABCDEF==", "x"])
    func whatIsNoJWTIsForThoseWhoTakeAnything(token: String) {
        #expect(self.verify(Array(token.utf8)).asked == [2, 3])
    }

    @Test(arguments: ["https://nobody.test", "https://local.test/", "https://NAMED.test"])
    func tokenOfNobodyKnownIsForThoseWhoTakeAnything(issuer: String) throws {
        #expect(self.verify(try self.jwt(issuer)).asked == [2, 3])
    }

    @Test func whereNobodyTakesAnythingItIsInvalid() throws {
        let snapshot = try Self.snapshot(self.key, open: false)
        guard case .invalid(.malformed) = self.verify(Array("opaque-token".utf8), snapshot),
            case .invalid(.unknownIssuer) = self.verify(try self.jwt("https://nobody.test"), snapshot)
        else {
            Issue.record("nobody is responsible")
            return
        }
        #expect(self.verify(try self.jwt("https://named.test"), snapshot).asked == [0])
    }
}

extension TokenVerification.Verdict {
    /// Who is to be asked.
    fileprivate var asked: [Int]? { if case .introspect(let issuers) = self { issuers } else { nil } }
}
