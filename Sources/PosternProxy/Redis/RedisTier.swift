import NIOCore
import PosternCore
import PosternCrypto
import PosternRedis

/// The cache that all processes share, as one event loop uses it: entries of tokens and their locks. Everything here may
/// fail at any time, and nothing may depend on it.
final class RedisTier {
    let setup: RedisSetup
    let client: RedisClient
    private(set) var counts = RedisCounts()
    /// Told of entries that do not count, and why.
    private let onRejected: (TokenDigest, Rejection) -> Void

    /// Why an entry does not count.
    enum Rejection: String, Sendable {
        case doesNotOpen = "it does not open: somebody else made, changed or moved it"
        case wrongAge = "it is older than Redis keeps it, or of the future: it was put back, or clocks differ"
    }

    init(_ setup: RedisSetup, client: RedisClient, onRejected: @escaping (TokenDigest, Rejection) -> Void) {
        self.setup = setup
        self.client = client
        self.onRejected = onRejected
    }

    /// What Redis has for a token.
    enum Found {
        case entry(CacheEntry, issuer: Int)
        case negative(CacheEntry)
        case none
        case unavailable
    }

    // MARK: - Entries

    /// Reads a token's entry.
    ///
    /// - Parameter bindings: what an entry of each issuer, by index, and a negative one is bound to.
    func read(_ digest: TokenDigest, _ bindings: EntryBindings, then: @escaping (Found) -> Void) {
        let key = self.setup.key(of: digest)
        self.client.send([Array("GET".utf8), key], key: key) { result in
            switch result {
            case .success(.string(let sealed)):
                then(self.open(sealed, digest, bindings))
            case .success(.null):
                self.counts.misses &+= 1
                then(.none)
            case .success, .failure:
                self.counts.errors &+= 1
                then(.unavailable)
            }
        }
    }

    /// An entry that somebody else made, changed or moved is as good as none.
    private func open(_ sealed: [UInt8], _ digest: TokenDigest, _ bindings: EntryBindings) -> Found {
        for (issuer, binding) in bindings.issuers.enumerated() {
            guard let octets = self.setup.seal.open(sealed, digest: digest, binding: binding) else { continue }
            guard let entry = CacheEntry(serialized: octets), case .active = entry else { break }
            return .entry(entry, issuer: issuer)
        }
        if let octets = self.setup.seal.open(sealed, digest: digest, binding: bindings.negative),
            let entry = CacheEntry(serialized: octets), case .negative = entry
        {
            return .negative(entry)
        }
        self.reject(digest, .doesNotOpen)
        return .none
    }

    /// An entry was found good for an answer.
    func noteHit() { self.counts.hits &+= 1 }

    /// An entry is older than it counts, and kept for outages.
    func noteExpired() { self.counts.expired &+= 1 }

    /// An entry is not to be trusted.
    func reject(_ digest: TokenDigest, _ reason: Rejection) {
        self.counts.rejected &+= 1
        self.onRejected(digest, reason)
    }

    /// Stores a token's entry.
    ///
    /// - Parameter milliseconds: until Redis forgets it; at least one.
    func store(_ entry: CacheEntry, _ digest: TokenDigest, binding: [UInt8], milliseconds: Int64) {
        guard let octets = entry.serialized,
            let sealed = try? self.setup.seal.seal(octets, digest: digest, binding: binding)
        else { return }
        let key = self.setup.key(of: digest)
        let command = [Array("SET".utf8), key, sealed, Array("PX".utf8), Array("\(milliseconds)".utf8)]
        self.client.send(command, key: key) { result in
            if case .success(.status) = result { return }
            self.counts.errors &+= 1
        }
    }

    /// Takes a token's entry away: it says what the issuer does not say any more.
    func forget(_ digest: TokenDigest) {
        let key = self.setup.key(of: digest)
        self.client.send([Array("DEL".utf8), key], key: key) { result in
            if case .success(.integer) = result { return }
            self.counts.errors &+= 1
        }
    }

    // MARK: - Locks

    /// Takes a token's lock, if nobody has it.
    ///
    /// - Parameter holder: what stands for this flight.
    func lock(
        _ digest: TokenDigest, holder: [UInt8], milliseconds: Int,
        then: @escaping (IntrospectionFlight.LockAnswer) -> Void
    ) {
        let key = self.setup.lockKey(of: digest)
        let time = Array("\(milliseconds)".utf8)
        let command = [Array("SET".utf8), key, holder, Array("NX".utf8), Array("PX".utf8), time]
        self.client.send(command, key: key) { result in
            switch result {
            case .success(.status): then(.acquired)
            case .success(.null): then(.held)
            case .success, .failure:
                self.counts.errors &+= 1
                then(.unavailable)
            }
        }
    }

    /// Gives a token's lock back, if it is this flight's.
    func unlock(_ digest: TokenDigest, holder: [UInt8]) {
        let key = self.setup.lockKey(of: digest)
        // Compared and deleted in one step: it may have run out, and be another's by now.
        self.client.send([Array("EVAL".utf8), Self.unlockScript, Array("1".utf8), key, holder], key: key) { result in
            if case .success(.integer) = result { return }
            self.counts.errors &+= 1
        }
    }

    private static let unlockScript = Array(
        "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end".utf8)
}

/// What the sealed entries of a token are bound to besides the token: one that was made for another issuer, or for an
/// issuer of the same name elsewhere, does not open.
struct EntryBindings: Equatable, Sendable {
    /// By index of the issuers that may be asked.
    let issuers: [[UInt8]]
    let negative: [UInt8]

    init(_ issuers: [TrustedIssuer]) {
        self.issuers = issuers.map { Array("active".utf8) + Self.name(of: $0) }
        self.negative = issuers.reduce(into: Array("negative".utf8)) { $0 += Self.name(of: $1) }
    }

    /// The issuer's name, where it is asked, how and by whom (the answer may depend on that, RFC 7662 section 2.2), each
    /// with its length, so that no two of them run together.
    private static func name(of issuer: TrustedIssuer) -> [UInt8] {
        var parts = [Array(issuer.rules.name.utf8)]
        if let introspection = issuer.introspection {
            parts += [Array(introspection.url.utf8), Array(introspection.dialect.rawValue.utf8)]
            switch introspection.credentials {
            case .bearer(let secret): parts += [Array("bearer".utf8), Digest.sha256(secret.bytes)]
            case .basic(let id, let secret):
                parts += [Array("basic".utf8), Array(id.utf8), Digest.sha256(secret.bytes)]
            case .form(let id, let secret):
                parts += [Array("form".utf8), Array(id.utf8), Digest.sha256(secret.bytes)]
            }
        }
        return parts.flatMap { Array("\($0.count):".utf8) + $0 }
    }
}

/// What one event loop saw of Redis.
struct RedisCounts: Sendable {
    var hits: UInt64 = 0
    var misses: UInt64 = 0
    /// Entries that are too old.
    var expired: UInt64 = 0
    /// Entries that do not open, or are of an age that they cannot have.
    var rejected: UInt64 = 0
    /// Commands without a good answer, those that were not sent among them.
    var errors: UInt64 = 0
}
