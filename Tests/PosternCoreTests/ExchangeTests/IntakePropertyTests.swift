import Testing

@testable import PosternCore

/// Requests made from parts, then perhaps damaged.
private struct RequestMaker {
    var numbers: SeededNumbers

    private static let lines =
        ["GET", "GET", "GET", "GET", "HEAD", "POST", "DELETE", "get", "OPTIONS"]
    private static let paths = [
        "/public", "/denied/x", "/optional", "/any", "/any", "/scoped", "/scoped", "/scoped", "/own/u1", "/own/u%31",
        "/own/u4",
        "/own/u%32", "/boss", "/issuer", "/nowhere", "//any", "/any;x", "/%61ny", "/scoped/../any", "http://a/any",
        "http://b/any", "HTTP://A", "*",
    ]
    private static let queries = ["", "", "", "", "?", "?a=b", "?access_token=x", "?a&acces%73_token=", "?b=%"]
    private static let fields = [
        "X-User-Id: u3", "x_auth_role: admin", "X-Client-Trusted: true", "X-Request-Id: r.1-A", "X-Request-Id: no!",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "traceparent: 00-0",
        "Connection: close",
        "Connection: x-a, keep-alive", "Connection: x-request-id", "Connection: upgrade", "Upgrade: websocket",
        "X-A: 1", "Content-Length: 5", "Content-Length: 05", "Transfer-Encoding: chunked", "Expect: 100-continue",
        "Forwarded: for=x", "X-Forwarded-For: 1.1.1.1", "Cookie: a=b", "Host: b", " folded", "Te: trailers",
    ]
    private static let damage = Array("\r\n\t :,=&;%/.~Bearz09_\u{0}".utf8) + [0x7F, 0x80, 0xFF]

    private mutating func token() -> String {
        // Sorted: a dictionary's order is another in every run.
        var token = Array(self.numbers.pick(IntakePolicy.callers.keys.sorted()).utf8)
        switch Int.random(in: 0..<10, using: &self.numbers) {
        case 0: token[Int.random(in: token.indices, using: &self.numbers)] ^= 1
        case 1: token[Int.random(in: token.indices, using: &self.numbers)] = self.numbers.pick(Self.damage)
        case 2: token.append(self.numbers.pick(Array("=a,".utf8)))
        case 3: token = [UInt8](repeating: UInt8(ascii: "k"), count: self.numbers.pick([400, 401]))
        default: break
        }
        return String(decoding: token, as: UTF8.self)
    }

    private mutating func authorization() -> [String] {
        let token = self.token()
        switch Int.random(in: 0..<14, using: &self.numbers) {
        case 0: return []
        case 1: return ["Authorization: Basic \(token)"]
        case 2: return ["Authorization: Bearer"]
        case 3: return ["Authorization: Bearer \(token) \(token)"]
        case 4: return ["Authorization: Bearer \(token)", "authorization: Bearer \(token)"]
        case 5: return ["aUTHORIZATION:bearer   \(token) \t"]
        default: return ["Authorization: Bearer \(token)"]
        }
    }

    mutating func next() -> [UInt8] {
        let path = self.numbers.pick(Self.paths) + self.numbers.pick(Self.queries)
        var fields = ["Host: a"] + self.authorization()
        for _ in 0..<Int.random(in: 0..<4, using: &self.numbers) { fields.append(self.numbers.pick(Self.fields)) }
        fields.shuffle(using: &self.numbers)
        let version = Int.random(in: 0..<10, using: &self.numbers) == 0 ? "HTTP/1.0" : "HTTP/1.1"
        let text = "\(self.numbers.pick(Self.lines)) \(path) \(version)\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n"
        var bytes = Array(text.utf8)
        if Int.random(in: 0..<3, using: &self.numbers) == 0 {
            for _ in 0..<Int.random(in: 1..<3, using: &self.numbers) { self.damage(&bytes) }
        }
        // Whatever stands behind a head says nothing about it.
        bytes += (0..<Int.random(in: 0..<40, using: &self.numbers)).map { _ in self.numbers.pick(Self.damage) }
        return bytes
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        let at = Int.random(in: bytes.indices, using: &self.numbers)
        switch Int.random(in: 0..<4, using: &self.numbers) {
        case 0: bytes.insert(self.numbers.pick(Self.damage), at: at)
        case 1: bytes.remove(at: at)
        case 2: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &self.numbers)
        default: bytes[at] = self.numbers.pick(Self.damage)
        }
    }
}

/// The intake and the gate's own steps decide the same. One intake each is used for all requests, so that nothing of one
/// may show in the next.
@Suite struct IntakePropertyTests {
    private let gates: [Gate]

    init() throws {
        self.gates = [
            // Without identity headers a control character in a claim does no harm; with them it does.
            try IntakePolicy.gate(identity: []),
            try IntakePolicy.gate(IntakePolicy.reloaded, generation: 2),
        ]
    }

    private func check(
        _ judgement: Judgement, _ expected: Judgement, _ bytes: [UInt8], _ seen: inout [String: Int]
    ) -> Bool {
        guard judgement.agrees(with: expected) else {
            Issue.record(
                """
                \(String(decoding: bytes, as: UTF8.self).debugDescription): \(judgement.words), not \(expected.words);
                \(judgement), not \(expected)
                """)
            return false
        }
        seen[String(judgement.words.prefix { $0 != " " }), default: 0] += 1
        return true
    }

    private func isVaried(_ seen: [String: Int]) {
        for word in ["permit", "verify", "invalid_request", "insufficient_scope", "access_denied", "missing_token"] {
            #expect(seen[word, default: 0] >= 10, "\(word): \(seen)")
        }
    }

    @Test(
        "with a token that is not cached: the same verdict, and the same again when it was verified", arguments: 1...4)
    func uncached(_ seed: UInt64) {
        var maker = RequestMaker(numbers: SeededNumbers(seed: seed))
        var reference = IntakeReference()
        var desk = IntakeDesk()
        var seen: [String: Int] = [:]
        for _ in 0..<2_500 {
            let bytes = maker.next()
            let gate = maker.numbers.pick(self.gates)
            var (fresh, copy) = (desk, reference)
            let first = fresh.take(bytes, gate: gate)
            guard self.check(first, copy.take(bytes, gate: gate) { _ in nil }, bytes, &seen) else { return }
            let verified = desk.takeVerifying(bytes, gate: gate)
            let expected = reference.take(bytes, gate: gate) { IntakePolicy.callers[$0] }
            guard self.check(verified, expected, bytes, &seen) else { return }
            desk.intake.forgetTokens()
        }
        self.isVaried(seen)
    }

    @Test(
        "with cached tokens, also of an earlier policy: the same verdict, and never a token over its time",
        arguments: 1...4)
    func cached(_ seed: UInt64) {
        var maker = RequestMaker(numbers: SeededNumbers(seed: 100 + seed))
        var reference = IntakeReference()
        var desk = IntakeDesk()
        desk.warm(self.gates[0])
        #expect(desk.intake.cachedTokens == IntakePolicy.callers.count)
        var seen: [String: Int] = [:]
        for _ in 0..<5_000 {
            let bytes = maker.next()
            let gate = maker.numbers.pick(self.gates)
            let now = maker.numbers.pick([0, 99.5, 100, 101])
            let judgement = desk.take(bytes, gate: gate, now: now)
            let expected = reference.take(bytes, gate: gate) { token in
                guard let principal = IntakePolicy.callers[token], now < principal.expiresAt,
                    case .success = gate.verifiedToken(for: principal)
                else { return nil }
                return principal
            }
            guard self.check(judgement, expected, bytes, &seen) else { return }
        }
        #expect(desk.intake.cachedTokens == IntakePolicy.callers.count, "nothing came in by itself")
        self.isVaried(seen)
    }
}
