import PosternCore

/// What is done with a token that is known, and the parts of taking one apart.
let tokenOperations = [
    cacheOperation("cache-1", "token cache hit, 1 token", tokens: 1),
    cacheOperation("cache-10000", "token cache hit, 10,000 tokens", tokens: 10_000),
    Operation("decide", "policy: two scopes and a role") {
        let gate = try Samples.gate()
        let standing = gate.policy.standing(of: try Samples.principal())
        let bytes = Samples.request()
        let captures = Captures()
        return { count in
            var sum = 0
            for _ in 0..<count {
                let decision = gate.policy.decide(
                    route: 6, standing: standing, bytes: bytes.span.bytes, captures: captures)
                guard case .permit(let permit) = decision else { throw WrongResult("\(decision)") }
                sum &+= permit.route
            }
            return sum
        }
    },
    Operation("base64url", "base64url: the payload of a token") {
        let token = Array(SignedTokens.rs256.utf8)
        let payload = try ByteRange(payloadOf: token)
        return { count in
            var sum = 0
            for _ in 0..<count {
                guard let octets = Base64URL.decode(token.span.bytes.slice(payload)) else {
                    throw WrongResult("the payload is not base64url")
                }
                sum &+= octets.count
            }
            return sum
        }
    },
    Operation("json", "JSON: the payload of a token") {
        let token = Array(SignedTokens.rs256.utf8)
        let payload = try ByteRange(payloadOf: token)
        guard let octets = Base64URL.decode(token.span.bytes.slice(payload)) else {
            throw WrongResult("the payload is not base64url")
        }
        return { count in
            var sum = 0
            for _ in 0..<count {
                guard case .object(let members) = try JSONReader.parse(octets.span.bytes) else {
                    throw WrongResult("the payload is no object")
                }
                sum &+= members.count
            }
            return sum
        }
    },
]

/// Finds tokens in a cache that holds `tokens` of them, one after the other.
private func cacheOperation(_ name: String, _ about: String, tokens: Int) -> Operation {
    Operation(name, about) {
        let gate = try Samples.gate()
        let value = try Samples.verifiedToken(gate)
        // Twice as many places as tokens: sets of the table are not full, so that each token is still there.
        var cache = TokenCache<VerifiedToken>(capacity: 2 * tokens, byteLimit: 64 << 20, seed: (1, 2))
        let known = (0..<tokens).map { cacheToken($0) }
        for token in known { cache.insert(token: token, value: value) }
        var held: [[UInt8]] = []
        for token in known where cache.lookup(token.span.bytes) != nil { held.append(token) }
        guard held.count * 100 >= known.count * 99 else { throw WrongResult("only \(held.count) tokens are held") }
        return { count in
            var sum = 0
            var next = 0
            for _ in 0..<count {
                let token = held[next]
                guard let found = cache.lookup(token.span.bytes) else { throw WrongResult("a token is gone") }
                sum &+= found.generation
                next &+= 1
                if next == held.count { next = 0 }
            }
            return sum
        }
    }
}

/// A token that no other number gives, of the usual length: tokens of one issuer begin alike and end in a signature.
private func cacheToken(_ number: Int) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var token = Array(SignedTokens.rs256.utf8)
    var state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    for index in (token.count - 342)..<token.count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        token[index] = alphabet[Int(state >> 58)]
    }
    return token
}

extension ByteRange {
    /// Where the payload of a token is.
    fileprivate init(payloadOf token: [UInt8]) throws {
        let dots = token.indices.filter { token[$0] == UInt8(ascii: ".") }
        guard dots.count == 2 else { throw WrongResult("not a token") }
        self.init(dots[0] + 1, dots[1])
    }
}
