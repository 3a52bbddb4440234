import Foundation

/// Where the issuer's time comes from: Unix seconds. Injected, so that expiry and rate limits are tested without waiting.
public struct IssuerClock: Sendable {
    let now: @Sendable () -> Double

    public init(now: @escaping @Sendable () -> Double) {
        self.now = now
    }

    /// The system's clock.
    public static let system = IssuerClock { Date().timeIntervalSince1970 }
}
