import PosternCore
import PosternCrypto
import Synchronization

/// The issuer's signing keys as this process last read them: the one that signs by now, and the public halves of all
/// that are published. Shared by everything that signs, verifies or publishes.
final class KeyRing: Sendable {
    private struct Snapshot: Sendable {
        var schedule: KeySchedule
        /// In the order of the schedule.
        var signers: [TokenSigner]
        var published: String
        var verification: KeySet<PublicKey>
    }

    private let store: any SigningKeyStore
    private let vault: KeyVault
    private let clock: IssuerClock
    private let snapshot: Mutex<Snapshot>

    /// The key that signs now.
    var signer: TokenSigner {
        let now = self.clock.now()
        return self.snapshot.withLock { $0.signers[$0.schedule.signer(now: now) ?? 0] }
    }

    /// The JWK set (RFC 7517 section 5) as it is served: newest first.
    var published: String { self.snapshot.withLock(\.published) }

    /// The same keys, to verify with.
    var verification: KeySet<PublicKey> { self.snapshot.withLock(\.verification) }

    /// Their times.
    var schedule: KeySchedule { self.snapshot.withLock(\.schedule) }

    private init(store: any SigningKeyStore, vault: KeyVault, clock: IssuerClock, snapshot: Snapshot) {
        self.store = store
        self.vault = vault
        self.clock = clock
        self.snapshot = Mutex(snapshot)
    }

    /// Opens the keys of the store. Where there is none, one is made, and signs at once. Where the last one has another
    /// algorithm than is wanted, one is made that follows it.
    ///
    /// - Parameter algorithm: Nil: as it is; RS256 for the first.
    static func load(
        from store: any SigningKeyStore, master: MasterKey, algorithm: SignatureAlgorithm?, clock: IssuerClock
    ) async throws -> KeyRing {
        let vault = KeyVault(master: master)
        var stored = try await store.signingKeys()
        // A master key that opens nothing writes nothing either.
        _ = try stored.map(vault.open)
        let now = clock.now()
        if stored.isEmpty {
            let first = try vault.make(algorithm ?? .rs256, now: now, notice: 0)
            // Another process may have been first: then its key is the one, and ours is forgotten.
            stored = try await store.addSigningKeyIfFirst(first)
        } else if let algorithm, KeySchedule(stored).keys.first?.algorithm != algorithm.rawValue {
            let next = try vault.make(algorithm, now: now, notice: KeySchedule.notice)
            stored = try await store.addNextSigningKey(next, now: now, audit: Self.audit(next, now: now)).keys
        }
        guard !stored.isEmpty else { throw IssuerStartError.store("the new signing key was not stored") }
        return KeyRing(store: store, vault: vault, clock: clock, snapshot: try Self.snapshot(of: stored, vault, []))
    }

    /// Reads the keys again.
    func reload() async throws {
        try self.take(try await self.store.signingKeys())
    }

    /// Makes the key that follows the last one. False: one waits already.
    ///
    /// - Parameters:
    ///   - algorithm: Nil: that of the last one.
    ///   - actor: Who wants it, for the audit log.
    func rotate(to algorithm: SignatureAlgorithm? = nil, by actor: String) async throws -> (added: Bool, AuditEntry) {
        let now = self.clock.now()
        let last = self.schedule.keys.first.flatMap { SignatureAlgorithm(rawValue: $0.algorithm) }
        let next = try self.vault.make(algorithm ?? last ?? .rs256, now: now, notice: KeySchedule.notice)
        let entry = Self.audit(next, now: now, by: actor)
        let (stored, added) = try await self.store.addNextSigningKey(next, now: now, audit: entry)
        try self.take(stored)
        return (added, entry)
    }

    /// Forgets the keys whose last token is over, here and in the store. Gives their `kid`s.
    func removeOld() async throws -> [String] {
        let lifetime = try await self.store.longestAccessTokenLifetime(floor: KeySchedule.leastLifetime)
        let old = self.schedule.removable(now: self.clock.now(), longestLifetime: lifetime)
        guard !old.isEmpty else { return [] }
        try await self.store.removeSigningKeys(old)
        try await self.reload()
        return old
    }

    private func take(_ stored: [StoredSigningKey]) throws {
        // An empty answer would leave nothing to sign with: the keys of a store do not end.
        guard !stored.isEmpty else { throw IssuerStartError.store("its signing keys are gone") }
        let known = self.snapshot.withLock(\.signers)
        let snapshot = try Self.snapshot(of: stored, self.vault, known)
        self.snapshot.withLock { $0 = snapshot }
    }

    /// - Parameter known: Signers that need not be opened again.
    private static func snapshot(
        of stored: [StoredSigningKey], _ vault: KeyVault, _ known: [TokenSigner]
    ) throws -> Snapshot {
        let signers = try stored.map { record in
            try known.first { $0.kid == record.kid } ?? TokenSigner(key: try vault.open(record))
        }
        let set = JSONValue.record([("keys", .array(signers.map { $0.key.publicJWK(kid: $0.kid) }))])
        let published = set.serialized()
        let schedule = KeySchedule(stored)
        return Snapshot(
            schedule: schedule, signers: schedule.keys.compactMap { key in signers.first { $0.kid == key.kid } },
            published: published, verification: KeySet.load(try JWKSet(Array(published.utf8).span.bytes)).keys)
    }

    private static func audit(_ key: StoredSigningKey, now: Double, by actor: String = "issuer") -> AuditEntry {
        AuditEntry(
            time: now, action: .signingKeyAdded, isAllowed: true, actor: actor, target: "signing-key:\(key.kid)",
            reason: key.algorithm)
    }
}
