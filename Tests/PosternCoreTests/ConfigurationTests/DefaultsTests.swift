import Testing

@testable import PosternCore

/// What a file that says nothing means. These are promises to everybody who has left a key out.
@Suite struct DefaultsTests {
    @Test func smallestFileHasTheDocumentedDefaults() throws {
        let configuration = try World.configuration("{upstream: \"http://127.0.0.1:8001\"}")
        #expect(configuration.listen.map(\.address) == [.host("0.0.0.0", port: 8080)])
        #expect(configuration.admin.address == .host("127.0.0.1", port: 9901))
        #expect(configuration.admin.status == nil)
        #expect(configuration.issuers.isEmpty)
        #expect(configuration.identity == IdentityHeader.defaults)
        #expect(!configuration.forwardToken)
        #expect(configuration.defaultAccess == .deny)
        #expect(configuration.cors.preflight == .deny)
        #expect(configuration.routes.isEmpty)
        #expect(configuration.paths == TargetOptions())
        #expect(configuration.log == Configuration.Log(level: .info, access: .all))
        #expect(configuration.eventLoops == nil)
        #expect(configuration.trustedProxies.isEmpty)
        #expect(configuration.listen.allSatisfy { !$0.proxyProtocol })
        #expect(configuration.service == "postern")
        #expect(configuration.tracing == nil)
    }

    @Test func limitsHaveTheDocumentedDefaults() throws {
        let limits = try World.configuration("{upstream: unix:/s}").limits
        #expect(
            limits
                == Configuration.Limits(
                    head: 32_768, target: 8192, headers: 100, body: .unlimited, connections: 10_000, token: 8192,
                    identity: 8192))
    }

    @Test func timeoutsHaveTheDocumentedDefaults() throws {
        let second: Int64 = 1_000_000_000
        let timeouts = try World.configuration("{upstream: unix:/s}").timeouts
        #expect(
            timeouts
                == Configuration.Timeouts(
                    head: 10 * second, idle: 60 * second, bodyIdle: 30 * second, connect: 2 * second,
                    response: 30 * second, upstreamIdle: 4 * second, tunnelIdle: 3600 * second, drain: 25 * second,
                    drainDelay: 0))
    }

    @Test(arguments: ["\"http://h:81\"", "{url: \"http://h:81\"}"])
    func upstreamHasTheDocumentedDefaultsInBothForms(form: String) throws {
        let upstream = try World.configuration("{upstream: \(form)}").upstream
        #expect(upstream.address == .host("h", port: 81))
        #expect(upstream.connections == 512)
        #expect(upstream.queue == 1024)
        #expect(upstream.retryAttempts == 1)
    }

    @Test func upstreamPortDefaultsTo80() throws {
        #expect(try World.configuration("{upstream: \"http://h/\"}").upstream.address == .host("h", port: 80))
    }

    @Test func issuerHasTheDocumentedDefaults() throws {
        let issuer = try #require(
            try World.configuration(
                "{upstream: unix:/s, issuers: {i: {issuer: x, audiences: [a], keys: {url: \"https://h/k\"}}}}"
            ).issuers.first)
        #expect(issuer.rules == IssuerRules(name: "i", issuer: "x", audiences: ["a"]))
        let second: Int64 = 1_000_000_000
        #expect(
            issuer.keys
                == .remote(
                    Configuration.RemoteKeys(
                        source: .url("https://h/k"), refresh: 300 * second, timeout: 2 * second,
                        maxStale: 86_400 * second, ca: nil, headers: [], allowsCleartext: false)))
    }

    @Test func realmIsTheServicesName() throws {
        #expect(try World.configuration("{upstream: unix:/s, service: mt5-api}").realm == "mt5-api")
        #expect(try World.configuration("{upstream: unix:/s, service: mt5-api, realm: r}").realm == "r")
    }

    @Test func smallHeadShrinksTheLimitsInsideIt() throws {
        let limits = try World.configuration("{upstream: unix:/s, limits: {head: 1KiB}}").limits
        #expect(limits.target == 1024)
        #expect(limits.token == 1024)
    }

    @Test func everyDefaultOfTheSchemaIsAValueOfItsKey() {
        for section in [
            Shape.document, .cors, .paths, .limits, .timeouts, .log, .redis, .listener, .serverTLS, .adminListener,
            .upstream, .clientTLS, .health, .retry, .issuer, .claims, .keys, .introspection, .credentials, .client,
            .route,
        ] {
            for key in section.keys {
                guard let absent = key.absent else { continue }
                var reader = SchemaReader(environment: World.environment)
                let field = reader.read(absent, as: key.shape, path: key.name)
                #expect(field != nil)
                #expect(reader.problems.isEmpty, "\(key.name)")
            }
        }
    }
}
