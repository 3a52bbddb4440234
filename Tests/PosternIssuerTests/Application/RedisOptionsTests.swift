import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct RedisOptionsTests {
    private func resolve(
        _ environment: [String: String] = [:], _ change: (inout IssuerOptions) -> Void = { _ in }
    ) throws -> RedisConfiguration? {
        var options = IssuerOptions()
        options.dev = true
        change(&options)
        var variables: [String: String] = [:]
        for (name, value) in environment { variables["POSTERN_ISSUER_" + name] = value }
        return try IssuerConfiguration.resolve(options, IssuerEnvironment(variables)).redis
    }

    @Test("A URL is enough, and the names are those of the proxies by default")
    func url() throws {
        let redis = try #require(try self.resolve { $0.redis = "redis://postern:p%40ss@cache.local/2" })
        #expect(redis.url == (try RedisURL("redis://postern:p%40ss@cache.local:6379/2")))
        #expect(redis.ca == nil)
        #expect(redis.revocations == "postern:revocations")
        #expect(!"\(redis)".contains("p@ss"))
    }

    @Test("Everything can come from the environment, the password from there alone")
    func environment() throws {
        let redis = try #require(
            try self.resolve([
                "REDIS": "rediss+sentinel://postern@a,b:1/main", "REDIS_PASSWORD": "a:b@/%", "REDIS_CA": "ca.pem",
                "REDIS_KEY_PREFIX": "x:",
            ]))
        #expect(
            redis.url.topology
                == .sentinel([.init(host: "a", port: 26_379), .init(host: "b", port: 1)], master: "main"))
        #expect(redis.url.usesTLS && redis.url.user == "postern" && redis.url.password == Secret("a:b@/%"))
        #expect(redis.ca == "ca.pem")
        #expect(redis.revocations == "x:revocations")
        #expect(redis.url.redacted == "rediss+sentinel://[redacted]@a:26379,b:1/main/0")
    }

    @Test("An option wins over its variable")
    func optionsWin() throws {
        let redis = try self.resolve(["REDIS": "redis://a", "REDIS_KEY_PREFIX": "a:"]) {
            $0.redis = "redis+cluster://b,c"
            $0.redisKeyPrefix = "b:"
        }
        #expect(redis == RedisConfiguration(url: try RedisURL("redis+cluster://b,c"), keyPrefix: "b:"))
    }

    @Test(
        "What is wrong is said without the password",
        arguments: [
            (["REDIS": "secret@cache"], "--redis: it has no scheme: redis://host"),
            (["REDIS": "redis://:secret@"], "--redis: the host is missing"),
            (
                ["REDIS": "redis://:sec ret@h"],
                "--redis: spaces, control and non-ASCII characters are percent-encoded; a password stands as it is in "
                    + "POSTERN_ISSUER_REDIS_PASSWORD"
            ),
            (
                ["REDIS": "redis://:secret%zz@h"],
                "--redis: \"%\" in the user or the password is written \"%25\"; a password stands as it is in "
                    + "POSTERN_ISSUER_REDIS_PASSWORD"
            ),
            (
                ["REDIS": "redis://secret@h"],
                "--redis names a user without a password: user:password@, or set POSTERN_ISSUER_REDIS_PASSWORD"
            ),
            (
                ["REDIS": "redis://:secret@h", "REDIS_PASSWORD": "secret"],
                "--redis has a password already: unset POSTERN_ISSUER_REDIS_PASSWORD"
            ),
            (
                ["REDIS": "redis://h", "REDIS_CA": "ca.pem"],
                "--redis-ca does nothing without TLS: --redis must be rediss://, or leave it out"
            ),
            (["REDIS_CA": "ca.pem"], "--redis-ca does nothing without --redis; leave it out"),
            (["REDIS_KEY_PREFIX": "x:"], "--redis-key-prefix does nothing without --redis; leave it out"),
            (
                ["REDIS_PASSWORD": "secret"],
                "POSTERN_ISSUER_REDIS_PASSWORD does nothing without --redis; leave it out"
            ),
        ])
    func wrong(_ environment: [String: String], _ sentence: String) {
        let errors = #expect(throws: ConfigurationErrors.self) { try self.resolve(environment) }
        #expect(errors?.problems == [sentence])
        #expect(errors?.description.contains("secret") == false)
    }

    @Test("An empty prefix is no prefix")
    func emptyPrefix() {
        let errors = #expect(throws: ConfigurationErrors.self) {
            try self.resolve {
                $0.redis = "redis://h"
                $0.redisKeyPrefix = ""
            }
        }
        #expect(errors?.problems == ["--redis-key-prefix must not be empty"])
    }

    @Test("Certificates that cannot be read are a sentence at the start")
    func unreadableCA() async throws {
        let folder = try TemporaryFolder()
        var configuration = TestIssuer.configuration(folder)
        configuration.redis = RedisConfiguration(url: try RedisURL("rediss://h"), ca: folder.file("missing.pem"))
        let wanted = configuration
        await #expect(
            throws: IssuerStartError.redis(
                "\(folder.file("missing.pem")) holds no certificates in PEM that can be read")
        ) { try await Issuer.open(wanted) }
    }
}
