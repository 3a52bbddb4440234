import Testing

@testable import PosternCore

@Suite struct RedisURLTests {
    private static func node(_ host: String, _ port: Int) -> Configuration.Redis.Node { .init(host: host, port: port) }

    @Test(
        arguments: [
            ("redis://h", .single(node("h", 6379)), 0), ("redis://h/", .single(node("h", 6379)), 0),
            ("redis://h:1/15", .single(node("h", 1)), 15), ("REDIS://H", .single(node("H", 6379)), 0),
            ("redis://[::1]:7000/99999", .single(node("::1", 7000)), 99_999),
            ("redis://u:p@10.0.0.1/2", .single(node("10.0.0.1", 6379)), 2),
            ("redis+sentinel://h/m", .sentinel([node("h", 26_379)], master: "m"), 0),
            (
                "redis+sentinel://a,b:1,[::1]/my-master_1.x/7",
                .sentinel([node("a", 26_379), node("b", 1), node("::1", 26_379)], master: "my-master_1.x"), 7
            ),
            ("redis+sentinel://:p@a/m/", .sentinel([node("a", 26_379)], master: "m"), 0),
            ("redis+cluster://a", .cluster([node("a", 6379)]), 0),
            ("redis+cluster://a,b:1,a:1/", .cluster([node("a", 6379), node("b", 1), node("a", 1)]), 0),
        ] as [(String, Configuration.Redis.Topology, Int)])
    func placeIsRead(text: String, topology: Configuration.Redis.Topology, database: Int) throws {
        let url = try RedisURL(text)
        #expect(url.topology == topology)
        #expect(url.database == database)
        #expect(!url.usesTLS)
    }

    @Test(arguments: ["rediss://h", "rediss+sentinel://h/m", "rediss+cluster://h", "Rediss://h"])
    func secondSIsTLS(text: String) throws {
        #expect(try RedisURL(text).usesTLS)
    }

    @Test(
        arguments: [
            ("redis://h", nil, nil), ("redis://u:p@h", "u", "p"), ("redis://:p@h", nil, "p"),
            ("redis://u@h", "u", nil), ("redis://u:@h", "u", nil), ("redis://u:a:b@h", "u", "a:b"),
            // No host holds an "@", so the last one ends the password.
            ("redis://u:a@b@h", "u", "a@b"), ("redis://a%3Ab:%2F%3f%23%25%40@h", "a:b", "/?#%@"),
            ("redis://%C3%A9:%c3%a9@h", "é", "é"), ("redis+cluster://u:p,q@a,b", "u", "p,q"),
        ] as [(String, String?, String?)])
    func credentialsAreDecoded(text: String, user: String?, password: String?) throws {
        let url = try RedisURL(text)
        #expect(url.user == user)
        #expect(url.password == password.map { Secret($0) })
    }

    @Test func passwordMayBeAnyBytes() throws {
        #expect(try RedisURL("redis://:%FF%00@h").password == Secret([0xFF, 0]))
    }

    @Test(
        arguments: [
            ("", "it has no scheme"), ("h:6379", "it has no scheme"), ("redis:h", "it has no scheme"),
            ("redis:/h", "it has no scheme"), ("://h", "the scheme must be redis"),
            ("http://h", "the scheme must be redis"),
            ("redis+sentinels://h/m", "the scheme must be redis"), ("redisss://h", "the scheme must be redis"),
            ("unix:///run/redis", "the scheme must be redis"), ("redis+cluster+tls://h", "the scheme must be"),
            ("redis://", "the host is missing"), ("redis:///0", "the host is missing"),
            ("redis://:p@", "the host is missing"), ("redis+cluster://a,", "host 2 must be a name"),
            ("redis+cluster://,a", "host 1 must be"), ("redis://h:0", "host 1 must be"),
            ("redis://h:65536", "a port from 1 to 65535"), ("redis://h:", "host 1 must be"),
            ("redis://::1", "an IPv6 address in brackets"), ("redis://[::1", "host 1 must be"),
            ("redis://[h]", "host 1 must be"), ("redis://a..b", "host 1 must be"),
            ("redis+cluster://a:1,b,A:1", "host 3 is the same as host 1"),
            ("redis+sentinel://a,a:26379/m", "host 2 is the same as host 1"),
            ("redis://a,b", "several hosts are sentinels (redis+sentinel://) or a cluster (redis+cluster://)"),
            ("redis://h/x", "a whole number from 0 to 99999"), ("redis://h/-1", "a whole number"),
            ("redis://h/00", "a whole number"), ("redis://h/100000", "a whole number"),
            ("redis://h/99999999999999999999", "a whole number"), ("redis://h/0/1", "the database alone"),
            ("redis://h//", "the database alone"), ("redis://h?db=1", "a query"), ("redis://h/0?a=b", "a query"),
            ("redis://h/#x", "a fragment"), ("redis+sentinel://h", "the master's name is missing"),
            ("redis+sentinel://h/", "the master's name is missing"), ("redis+sentinel://h//0", "name is missing"),
            ("redis+sentinel://h/a%20b", "the master's name must be"), ("redis+sentinel://h/m/x", "a whole number"),
            ("redis+sentinel://h/m/0/1", "the database alone"), ("redis+cluster://h/0", "a cluster has no databases"),
            ("redis+cluster://h//", "a cluster has no databases"), ("redis://@h", "user and password are empty"),
            ("redis://:@h", "user and password are empty"), ("redis://u:%zz@h", "is written \"%25\""),
            ("redis://u:%4@h", "is written \"%25\""), ("redis://u:%@h", "in redis.password"),
            ("redis://%FF:p@h", "is written \"%25\""), ("redis://u:a/b@h", "\"/\", \"?\" and \"#\" in the user"),
            ("redis://u:a?b@h", "percent-encoded"), ("redis://u:a#b@h/0", "percent-encoded"),
            ("redis://u:a b@h", "spaces, control"), ("redis://u:é@h", "non-ASCII"), ("redis://h\n", "control"),
        ] as [(String, String)])
    func urlIsRefused(text: String, message: String) {
        #expect { try RedisURL(text) } throws: { error in
            (error as? SyntaxProblem)?.message.contains(message) == true
        }
    }

    @Test(
        arguments: [
            ("redis://h", "redis://h:6379/0"), ("rediss://u:hunter2@[::1]:1/2", "rediss://[redacted]@[::1]:1/2"),
            ("redis+sentinel://:hunter2@a,b:1/m", "redis+sentinel://[redacted]@a:26379,b:1/m/0"),
            ("rediss+cluster://a,b:1/", "rediss+cluster://a:6379,b:1"),
        ] as [(String, String)])
    func effectiveURLNamesAllButCredentials(text: String, shown: String) throws {
        let configuration = try World.configuration(
            "{upstream: unix:/s, redis: {url: \"\(text)\", seal: \"${SECRET}\"}}")
        #expect(configuration.redis?.redactedURL == shown)
    }
}
