/// Why the store did not do what it was asked for, where that is the store's fault.
struct StoreError: Error, Equatable, CustomStringConvertible {
    enum Kind: Equatable, Sendable {
        /// It is away, or busy for too long. Nothing was changed; later it may work.
        case unavailable
        /// It answered that it cannot. Nothing was changed.
        case failed
        /// The connection was lost while a change was being committed: it may have happened or not. Never tried again
        /// without being asked, since it might happen twice.
        case unknownOutcome
        /// A newer version has written it.
        case newer
    }

    var kind: Kind
    /// What went wrong, for the log. Never holds a value that was stored or looked for.
    var reason: String

    var description: String {
        switch self.kind {
        case .unavailable: "the store is unavailable: \(self.reason)"
        case .failed: "the store failed: \(self.reason)"
        case .unknownOutcome: "the store was lost during a commit, which may have happened or not: \(self.reason)"
        case .newer: "the store was written by a newer version of postern-issuer"
        }
    }

    /// What was read is not what this version writes.
    static func malformed(_ reason: String) -> StoreError {
        StoreError(kind: .failed, reason: "malformed contents: \(reason)")
    }
}
