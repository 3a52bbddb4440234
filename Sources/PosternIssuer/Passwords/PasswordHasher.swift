import PosternCrypto

/// Makes and checks the hashes of passwords, for as long and with as much memory as one of them costs, whoever asks.
struct PasswordHasher: Sendable {
    /// Of new hashes.
    let cost: Scrypt.Cost
    let workers: PasswordWorkers
    /// What the password of a user who is not there is compared with: costs as much as a real hash and equals none.
    private let decoy: PasswordHash

    init(cost: Scrypt.Cost = Scrypt.Cost(), workers: PasswordWorkers = PasswordWorkers()) {
        self.cost = cost
        self.workers = workers
        self.decoy = PasswordHash(
            cost: cost, salt: Random.bytes(PasswordHash.saltLength), octets: Random.bytes(PasswordHash.length))
    }

    /// The hash that is stored for a new password. Throws `PasswordOverload` or `CryptoError`.
    func hash(_ password: String) async throws -> String {
        let cost = self.cost
        return try await self.workers.run { try PasswordHash(of: password, cost: cost).description }
    }

    /// Whether it is the password of the stored hash. Without one, or with one that cannot be read, nothing matches, and
    /// it takes as long. Throws `PasswordOverload` or `CryptoError`.
    func matches(_ password: String, stored: String?) async throws -> Bool {
        let known = stored.flatMap(PasswordHash.init)
        let hash = known ?? self.decoy
        let isEqual = try await self.workers.run { try hash.matches(password) }
        return isEqual && known != nil
    }

    /// Whether a hash costs what new ones cost.
    func isCurrent(_ stored: String) -> Bool {
        PasswordHash(stored)?.cost == self.cost
    }
}
