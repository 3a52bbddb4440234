/// Decides when it is worth a log line that a service cannot be had, and that it can be had again: once for every change,
/// however many attempts there are, and never twice for the same reason within `pause`.
public struct TroubleReport: Sendable {
    /// Nanoseconds before the same reason is said again.
    public static let pause: Int64 = 10_000_000_000
    /// Reasons that are remembered.
    private static let limit = 16

    /// What is wrong now; nil: nothing.
    public private(set) var reason: String?
    /// Whether that was said.
    private var isSaid = false
    /// When each reason was said last.
    private var said: [String: Int64] = [:]

    public init() {}

    /// An attempt failed. Returns whether to say so. `now` is monotonic, in nanoseconds.
    public mutating func failed(_ reason: String, now: Int64) -> Bool {
        guard reason != self.reason || !self.isSaid else { return false }
        self.reason = reason
        if let last = self.said[reason], now &- last < Self.pause {
            self.isSaid = false
            return false
        }
        if self.said.count >= Self.limit { self.said.removeAll() }
        self.said[reason] = now
        self.isSaid = true
        return true
    }

    /// The service has answered. Returns whether to say so: if its trouble was said.
    public mutating func succeeded() -> Bool {
        guard self.reason != nil else { return false }
        self.reason = nil
        return self.isSaid
    }
}
