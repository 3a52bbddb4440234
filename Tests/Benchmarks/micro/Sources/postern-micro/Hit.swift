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
    private var intake = Intake(identifierSeed: (1, 2), cacheSeed: (1, 2))
    private var output: [UInt8] = []
    private var requestID: [UInt8] = []

    init() throws {
        self.gate = try Samples.gate()
        let token = Array(SignedTokens.rs256.utf8)
        let accepted = self.intake.accept(
            try Samples.principal(), token: token.span.bytes, gate: self.gate, now: SignedTokens.now)
        guard case .success = accepted else { throw WrongResult("\(accepted)") }
    }

    /// - Returns: the length of the head for the upstream.
    mutating func run(_ bytes: RawSpan) throws -> Int {
        let outcome = self.intake.take(
            bytes, resumed: nil, gate: self.gate, limits: Samples.limits, now: SignedTokens.now,
            requestID: &self.requestID)
        guard case .judged(_, route: _, .permit(let permit, let token)) = outcome else {
            throw WrongResult("\(outcome)")
        }
        self.output.removeAll(keepingCapacity: true)
        _ = self.intake.compose(
            bytes, permit: permit, token: token, gate: self.gate, forwardToken: false, client: self.client,
            into: &self.output)
        return self.output.count
    }
}
