import Synchronization

@testable import PosternIssuer

/// The signing keys of a store that can be taken away.
final class KeyTable: SigningKeyStore {
    struct Away: Error {}

    private struct State {
        var keys: [StoredSigningKey] = []
        var audit: [AuditEntry] = []
        var isAway = false
    }

    private let state = Mutex(State())
    private let longestLifetime: Int

    init(longestLifetime: Int = 3600) {
        self.longestLifetime = longestLifetime
    }

    var keys: [StoredSigningKey] { self.state.withLock(\.keys) }
    var audit: [AuditEntry] { self.state.withLock(\.audit) }

    func setAway(_ isAway: Bool) {
        self.state.withLock { $0.isAway = isAway }
    }

    private func change<Value>(_ body: (inout State) throws -> Value) throws -> Value {
        try self.state.withLock { state in
            if state.isAway { throw Away() }
            return try body(&state)
        }
    }

    func signingKeys() async throws -> [StoredSigningKey] {
        try self.change(\.keys)
    }

    func addSigningKeyIfFirst(_ key: StoredSigningKey) async throws -> [StoredSigningKey] {
        try self.change { state in
            if !state.keys.contains(where: { $0.algorithm == key.algorithm }) { state.keys.insert(key, at: 0) }
            return state.keys
        }
    }

    func addNextSigningKey(
        _ key: StoredSigningKey, now: Double, audit: AuditEntry
    ) async throws -> (keys: [StoredSigningKey], added: Bool) {
        try self.change { state in
            let waits = state.keys.contains { $0.algorithm == key.algorithm && Double($0.signsFrom) > now }
            if !waits {
                state.keys.insert(key, at: 0)
                state.audit.append(audit)
            }
            return (state.keys, !waits)
        }
    }

    func removeSigningKeys(_ kids: [String]) async throws {
        try self.change { state in state.keys.removeAll { kids.contains($0.kid) } }
    }

    func longestAccessTokenLifetime(floor: Int) async throws -> Int {
        try self.change { _ in max(floor, self.longestLifetime) }
    }
}
