import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

@Suite struct SnapshotTests {
    private static let head = "version: 1\nupstream: http://127.0.0.1:8001\n"
    private static let issuers =
        "issuers: {a: {issuer: \"https://a.test\", audiences: any, keys: {url: \"https://a.test/jwks\"}}}\n"

    // MARK: - Routes

    @Test func routeWithoutOverridesHasWhatHoldsForAll() throws {
        let snapshot = try Snapshots.make(
            Self.head + "limits: {body: 3KiB}\ntimeouts: {response: 7s}\nforward_token: true\n"
                + "routes: {GET /a: public}\n")
        let rules = snapshot.gate.rules(of: 0)
        #expect(
            rules
                == RouteRules(
                    label: "GET /a", responseTimeout: 7_000_000_000, bodyLimit: 3072, forwardToken: true, upstream: 0))
        #expect(
            snapshot.gate.rules(of: PolicyCatalogue.undeclared)
                == RouteRules(
                    label: "default", responseTimeout: 7_000_000_000, bodyLimit: 3072, forwardToken: true, upstream: 0))
    }

    @Test func routeOverridesEach() throws {
        let snapshot = try Snapshots.make(
            Self.head + Self.issuers + """
                forward_token: true
                routes:
                  GET /a: {timeout: 250ms}
                  GET /b: {body: 1MiB}
                  GET /c: {body: unlimited}
                  GET /d: {forward_token: false}
                  GET /e: {upstream: "http://127.0.0.1:9"}

                """)
        let all = snapshot.gate.fallback
        let rules = (0..<5).map(snapshot.gate.rules(of:))
        #expect(rules.map(\.label) == ["GET /a", "GET /b", "GET /c", "GET /d", "GET /e"])
        #expect(rules.map(\.responseTimeout) == [250_000_000] + Array(repeating: all.responseTimeout, count: 4))
        #expect(rules.map(\.bodyLimit) == [all.bodyLimit, 1 << 20, nil, all.bodyLimit, all.bodyLimit])
        #expect(rules.map(\.forwardToken) == [true, true, true, false, true])
        #expect(rules.map(\.upstream) == [0, 0, 0, 0, 1])
    }

    @Test func policyIsCompiledRouteByRoute() throws {
        let snapshot = try Snapshots.make(
            Self.head + Self.issuers
                + "routes: {GET /a: public, GET /b: deny, GET /c: {scopes: [x, y]}, GET /d: optional}\n",
            generation: 7)
        #expect(snapshot.gate.generation == 7)
        guard case .open = snapshot.gate.policy.compiled(0), case .denied = snapshot.gate.policy.compiled(1),
            case .required = snapshot.gate.policy.compiled(2), case .optional = snapshot.gate.policy.compiled(3),
            case .denied = snapshot.gate.policy.compiled(PolicyCatalogue.undeclared)
        else {
            Issue.record("another rule than the file's")
            return
        }
        #expect(snapshot.gate.policy.required(2)?.scopes == ["x", "y"])
    }

    @Test func limitsGoToTheReaderOfHeads() throws {
        let snapshot = try Snapshots.make(
            Self.head + "limits: {head: 9KiB, target: 2KiB, headers: 17, token: 3KiB}\nroutes: {GET /: public}\n")
        #expect(snapshot.headLimits == HeadLimits(head: 9216, target: 2048, fields: 17))
        #expect(snapshot.gate.tokenLimit == 3072)
    }

    // MARK: - Upstreams

    @Test func routesToTheSameUpstreamShareIt() throws {
        let snapshot = try Snapshots.make(
            Self.head + Self.issuers + """
                routes:
                  GET /a: {upstream: "http://127.0.0.1:9"}
                  GET /b: {upstream: "http://127.0.0.1:8001"}
                  GET /c: {upstream: "http://127.0.0.1:9"}
                  GET /d: {upstream: "unix:/run/service.sock"}
                  GET /e: public

                """)
        #expect((0..<5).map { snapshot.gate.rules(of: $0).upstream } == [1, 0, 1, 2, 0])
        #expect(
            snapshot.upstreams.map(\.address) == [
                .host("127.0.0.1", port: 8001), .host("127.0.0.1", port: 9), .unix(path: "/run/service.sock"),
            ])
    }

    @Test(arguments: [(1, 10, 7), (2, 5, 4), (3, 4, 3), (64, 1, 1)])
    func connectionsAreDividedAmongLoopsRoundedUp(row: (Int, Int, Int)) throws {
        let snapshot = try Snapshots.make(
            "version: 1\nupstream: {url: \"http://127.0.0.1:8001\", connections: 10, queue: 7}\n"
                + "routes: {GET /: public}\n", loops: row.0)
        #expect(snapshot.upstreams[0].connectionsPerLoop == row.1)
        #expect(snapshot.upstreams[0].queuePerLoop == row.2)
    }

    // MARK: - Labels

    @Test func labelsKeepTheirNumbersAcrossReloads() throws {
        let labels = RouteLabels()
        let first = try Snapshots.make(Self.head + "routes: {GET /a: public, GET /b: public}\n", labels: labels)
        let second = try Snapshots.make(Self.head + "routes: {GET /c: public, GET /b: public}\n", labels: labels)
        let third = try Snapshots.make(Self.head + "routes: {GET /b: deny, GET /a: public}\n", labels: labels)
        #expect(first.labelNumbers == [2, 3])
        #expect(second.labelNumbers == [4, 3])
        #expect(third.labelNumbers == [3, 2])
        #expect(labels.names == ["none", "default", "GET /a", "GET /b", "GET /c"])
    }

    @Test func undeclaredRequestsHaveTheLabelOfTheDefault() throws {
        let labels = RouteLabels()
        let snapshot = try Snapshots.make(Self.head + "routes: {GET /a: public}\n", labels: labels)
        #expect(snapshot.labelNumber(of: 0) == 2)
        #expect(labels.names[snapshot.labelNumber(of: PolicyCatalogue.undeclared)] == snapshot.gate.fallback.label)
    }

    // MARK: - Issuers

    @Test func keysOfTheConfigurationAreThereFromTheStartAndOthersAreNot() throws {
        let snapshot = try Snapshots.make(
            Self.head + """
                issuers:
                  fixed: {issuer: "https://a.test", audiences: any, algorithms: HS256, keys: {secret: \(Self.secret)}}
                  fetched: {issuer: "https://b.test", audiences: any, keys: {url: "https://b.test/jwks", timeout: 3s}}
                routes: {GET /: public}

                """)
        #expect(snapshot.issuers.map(\.rules.name) == ["fixed", "fetched"])
        #expect(snapshot.issuers.map { $0.fixedKeys?.keys.count } == [1, nil])
        #expect(snapshot.issuers.map(\.fetchTimeout) == [0, 3_000_000_000])
        #expect(snapshot.issuers[0].keysIdentity != snapshot.issuers[1].keysIdentity)
    }

    @Test func issuersOfTheSameTextAreEqualAndShareTheirKeys() throws {
        func issuer(_ keys: String, leeway: String) throws -> TrustedIssuer {
            try Snapshots.make(
                Self.head + """
                    issuers:
                      a: {issuer: "https://a.test", audiences: any, leeway: \(leeway), keys: {\(keys)}}
                    routes: {GET /: public}

                    """
            ).issuers[0]
        }
        let one = try issuer("url: \"https://a.test/jwks\"", leeway: "1s")
        #expect(one == (try issuer("url: \"https://a.test/jwks\"", leeway: "1s")))
        let patient = try issuer("url: \"https://a.test/jwks\"", leeway: "2s")
        #expect(one != patient)
        #expect(one.keysIdentity == patient.keysIdentity)
        let elsewhere = try issuer("url: \"https://a.test/other\"", leeway: "1s")
        #expect(one.keysIdentity != elsewhere.keysIdentity)
    }

    @Test func singleInlineKeyIsASetOfOne() throws {
        let key = try SigningKey.generate(.es256).publicJWK(kid: "k")
        for json in [key, .object([.init(name: "keys", value: .array([key]))])] {
            let keys = try #require(try KeyMaterial.load(.inline(json)))
            #expect(keys.keys.map(\.keyID) == ["k"])
        }
    }

    @Test func keyThatLibcryptoDoesNotTakeIsAnError() throws {
        // (0, 0) is no point of the curve, which only libcrypto can tell.
        let zero = String(repeating: "A", count: 43)
        let key = try JSONReader.parse(
            Array(#"{"kty":"EC","crv":"P-256","x":"\#(zero)","y":"\#(zero)"}"#.utf8).span.bytes)
        #expect(throws: JWKSetProblem.self) { try KeyMaterial.load(.inline(key)) }
    }

    private static let secret = "0123456789abcdef0123456789abcdef"
}
