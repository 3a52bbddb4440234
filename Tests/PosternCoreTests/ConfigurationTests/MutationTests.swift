import Testing

@testable import PosternCore

/// Whatever a file says, loading it ends in a configuration or in problems, and never in a trap.
@Suite struct MutationTests {
    private static let document =
        "{version: 1, listen: [0.0.0.0:8080, {address: \"[::]:1\", proxy_protocol: false}], upstream: {url: \"http://h:1/\", "
        + "connections: 5, queue: 6, protocol: http1, retry: {attempts: 1}}, admin: {address: 127.0.0.1:2, status: unix:/a}, "
        + "issuers: {i: {issuer: \"https://i\", audiences: [a], algorithms: [RS256], keys: {url: \"https://i/k\", refresh: 5m, "
        + "timeout: 2s, max_stale: 24h, headers: {A: \"${SECRET}\"}}, leeway: 30s, token_types: [JWT], "
        + "claims: {scopes: [a, /b], user: sub}, revocation: off, admin: x}, j: {issuer: y, audiences: any, "
        + "keys: {inline: {keys: [{kty: OKP, crv: Ed25519, x: abc}]}}}, k: {introspection: {url: \"https://i/\", dialect: hecate, "
        + "credentials: {basic: {id: a, secret: b}}, timeout: 1s, cache: 1s, negative_cache: 0s, stale_if_error: 1s, "
        + "ca: public.pem}, revocation: redis}}, redis: {url: \"rediss+sentinel://u:p%41@h,[::1]:1/m/0\", timeout: 50ms, "
        + "key_prefix: p, ca: public.pem, seal: [\"${SECRET}\", {file: short}]}, identity: {X-A: user, X-B: /a/~0}, "
        + "forward_token: false, default: deny, cors: {preflight: deny}, routes: {GET /h: public, \"GET|POST /a/{b}/{c...}\": "
        + "{scopes: [a], any_scope: b, roles: [c], claims: {d: [1, \"2\", true], e: \"{b}\"}, issuers: [i], timeout: 1s, "
        + "body: 1KiB, forward_token: true, upstream: unix:/s}}, paths: {semicolon: allow}, limits: {head: 32KiB, body: unlimited}, "
        + "timeouts: {head: 10s}, log: {level: info}, event_loops: auto, trusted_proxies: [10.0.0.0/8, unix], realm: r, service: s}"

    private static let scraps = [
        "", "~", "{", "}", "[", "]", "${", "${NOPE}", "${SECRET}", "$${", "9223372036854775807", "-9223372036854775808",
        "99999999999999999999999h", "9223372036854775807GiB", "18446744073709551616", "0", "-0", "1e999", ":", "::",
        "[::", "http://",
        "http://[", "http://:@:", "unix:", "unix:/", "/", "//", "/~", "~2", "é", "\u{0}", "\u{301}", "\r\n", "true",
        "null", "off",
        "GET ", "GET /{", "GET /{a", "GET /{...}", "GET /%", "GET /%zz", "| /", "ANY|GET /", "{}", "{b}", "<<",
        "redis://", "redis+sentinel://,", "@", "%", "%4", ",", "10.0.0.0/99999999999999999999", "::/128",
        String(repeating: "a", count: 300),
    ]

    @Test(arguments: 0..<32)
    func mutatedDocumentNeverTraps(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        let document = FlowNode.parse(Self.document)
        for _ in 0..<40 {
            var node = document
            for _ in 0...Int.random(in: 0..<4, using: &random) { node = Self.mutated(node, using: &random) }
            switch ConfigurationLoader.load(node, environment: World.environment) {
            case .success(let loaded): #expect(!loaded.configuration.effectivePolicy().isEmpty)
            case .failure(let problems): #expect(!problems.errors.isEmpty)
            }
        }
    }

    @Test func unchangedDocumentHasOnlyTheKeysThatAreMadeUp() {
        let problems = World.problems(Self.document)
        #expect(problems.count == 2)
        #expect(problems.first?.contains("issuers.j.keys.inline: holds no usable key") == true)
        #expect(problems.last?.contains("redis.seal[1].file: the secret in the file") == true)
    }

    /// The tree with one of its nodes changed.
    private static func mutated(_ node: ConfigurationNode, using random: inout SeededGenerator) -> ConfigurationNode {
        let stopsHere = Int.random(in: 0..<12, using: &random) == 0
        switch node {
        case .scalar(let text, let style, let mark):
            return Self.scalar(text, style: style, mark: mark, using: &random)
        case .sequence(var items, let mark):
            guard !stopsHere, let index = items.indices.randomElement(using: &random) else {
                return Self.collection(of: items, mark: mark, using: &random)
            }
            items[index] = Self.mutated(items[index], using: &random)
            return .sequence(items, mark: mark)
        case .mapping(var pairs, let mark):
            guard let index = pairs.indices.randomElement(using: &random) else { return .sequence([], mark: mark) }
            switch Int.random(in: 0..<10, using: &random) {
            case 0: pairs[index].key = Self.mutated(pairs[index].key, using: &random)
            case 1: pairs.append(pairs[index])
            case 2: pairs.remove(at: index)
            case 3 where stopsHere: return Self.collection(of: pairs.map(\.value), mark: mark, using: &random)
            default: pairs[index].value = Self.mutated(pairs[index].value, using: &random)
            }
            return .mapping(pairs, mark: mark)
        }
    }

    private static func scalar(
        _ text: String, style: ConfigurationNode.Style, mark: Mark, using random: inout SeededGenerator
    ) -> ConfigurationNode {
        let scrap = Self.scraps.randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return .scalar(scrap, style: .plain, mark: mark)
        case 1: return .scalar(scrap, style: .quoted, mark: mark)
        case 2: return .scalar(text + scrap, style: style, mark: mark)
        case 3: return .scalar(scrap + text, style: style, mark: mark)
        case 4: return .scalar(String(text.dropLast()), style: style, mark: mark)
        default: return .sequence([.scalar(text, style: style, mark: mark)], mark: mark)
        }
    }

    private static func collection(
        of nodes: [ConfigurationNode], mark: Mark, using random: inout SeededGenerator
    ) -> ConfigurationNode {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: .mapping([], mark: mark)
        case 1: nodes.first ?? .scalar("", style: .plain, mark: mark)
        default: .mapping(nodes.map { .init(key: $0, value: $0) }, mark: mark)
        }
    }
}

/// The same numbers in every run (xorshift64*).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state ^= self.state >> 12
        self.state ^= self.state << 25
        self.state ^= self.state >> 27
        return self.state &* 0x2545_F491_4F6C_DD1D
    }
}
