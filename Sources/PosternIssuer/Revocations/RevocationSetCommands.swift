/// The commands that keep the sorted set and the channel of revocations, which have one name.
struct RevocationSetCommands: Sendable {
    let name: [UInt8]

    init(name: String) {
        self.name = Array(name.utf8)
    }

    /// Answered with 1 if it was not there.
    func add(_ revocation: StoredRevocation) -> [[UInt8]] {
        [Array("ZADD".utf8), self.name, Array(String(revocation.until).utf8), Array(revocation.member.utf8)]
    }

    func publish(_ revocation: StoredRevocation) -> [[UInt8]] {
        [Array("PUBLISH".utf8), self.name, Array(revocation.member.utf8)]
    }

    /// Removes what may be forgotten by `now` (Unix seconds).
    func sweep(now: Double) -> [[UInt8]] {
        [
            Array("ZREMRANGEBYSCORE".utf8), self.name, Array("-inf".utf8),
            Array(String(Int(now.rounded(.down))).utf8),
        ]
    }
}
