import PosternCore

/// Everything that the core does for a request whose token is in the cache, from its bytes to the bytes for the upstream.
let hitOperations = [
    Operation("hit", "a whole request: head, target, route, credential, cache, policy, upstream head") {
        let bytes = Samples.request()
        var hit = try Hit()
        return { count in
            var sum = 0
            for _ in 0..<count { sum &+= try hit.run(bytes.span.bytes) }
            return sum
        }
    }
]

private struct Hit {
    private let gate: Gate
    private let client = ClientFacts(address: Array("10.0.0.7".utf8), scheme: "http")
    private var scanner = HeadScanner()
    private var head = RequestHead()
    private var identifiers = Identifiers(random: IdentifierSource(seed: 1, 2))
    private var cache = TokenCache<VerifiedToken>(seed: (1, 2))
    private var target = CheckedTarget(path: .none)
    private var captures = Captures()
    private var output: [UInt8] = []

    init() throws {
        self.gate = try Samples.gate()
        self.cache.insert(token: Array(SignedTokens.rs256.utf8), value: try Samples.verifiedToken(self.gate))
    }

    /// - Returns: the length of the head for the upstream.
    mutating func run(_ bytes: RawSpan) throws -> Int {
        self.scanner.reset()
        guard case .complete(let end) = self.scanner.scan(bytes, limits: Samples.limits) else {
            throw WrongResult("the request head is not complete")
        }
        try self.head.read(bytes, lines: self.scanner.lines, end: end, limits: Samples.limits)
        self.identifiers.assign(bytes, self.head)
        var route = PolicyCatalogue.undeclared
        let admission = self.gate.admit(
            bytes, self.head, route: &route, target: &self.target, captures: &self.captures)
        guard case .verify(let range) = admission else { throw WrongResult("\(admission)") }
        guard let token = self.cache.lookup(bytes.slice(range)), SignedTokens.now < token.expiresAt,
            self.gate.isCurrent(token)
        else { throw WrongResult("the token is not in the cache") }
        switch self.gate.authorize(route: route, token: token, bytes: bytes, captures: self.captures) {
        case .failure(let refusal):
            throw WrongResult("\(refusal)")
        case .success(let permit):
            self.output.removeAll(keepingCapacity: true)
            _ = UpstreamHead.compose(
                bytes, self.head, self.target, permit: permit, token: token, identity: self.gate.identity,
                forwardToken: false, client: self.client, identifiers: &self.identifiers, into: &self.output)
            return self.output.count
        }
    }
}
