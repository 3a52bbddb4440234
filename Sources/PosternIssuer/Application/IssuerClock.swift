import Foundation

/// Where the issuer's time comes from: Unix seconds. Injected, so that expiry and rate limits are tested without waiting.
public struct IssuerClock: Sendable {
    let now: @Sendable () -> Double
    /// Waits that many seconds.
    let sleep: @Sendable (Double) async throws -> Void

    public init(
        now: @escaping @Sendable () -> Double,
        sleep: @escaping @Sendable (Double) async throws -> Void = { try await Task.sleep(for: .seconds($0)) }
    ) {
        self.now = now
        self.sleep = sleep
    }

    /// The system's clock.
    public static let system = IssuerClock { Date().timeIntervalSince1970 }

    /// The `iat` of a token for a holder whose tokens from before `validFrom` are revoked.
    ///
    /// Times in tokens are whole seconds, so that "all until now" ends with the second that has begun. Whoever logs in
    /// again within it waits for the next one, at most a second, instead of being given a token that is revoked already
    /// or one from the future.
    func issueTime(validFrom: Int) async throws -> Int {
        let now = self.now()
        let wait = Double(validFrom) - now
        if wait > 0, wait <= 1 { try await self.sleep(wait) }
        return max(Int(now.rounded(.down)), validFrom)
    }
}
