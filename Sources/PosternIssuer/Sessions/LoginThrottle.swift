/// Slows down whoever guesses passwords: after so many failures in 15 minutes for one name from one address, or from one
/// address whatever the names, nobody logs in like that until the time is over.
///
/// Failures count only together with the address they come from: a stranger cannot lock a user out of his account, he
/// only locks himself out. Behind a proxy that is not among the trusted ones all users share its address.
struct LoginThrottle: Sendable {
    /// Seconds.
    static let length = 900
    /// Failures for one name from one address.
    static let perName = 10
    /// Failures from one address: there may be many users behind it.
    static let perAddress = 100

    let limiter: any RateLimiting
    let clock: IssuerClock

    /// Nil if this attempt may go on, else the whole seconds until another one may. Asked before the password is looked
    /// at, and again afterwards: many attempts at once learn no more than many one after the other.
    ///
    /// - Parameters:
    ///   - username: As it was sent; unknown names count like known ones.
    ///   - address: Where the attempt came from, if that is known.
    ///   - failed: Whether it has failed, and is to be counted.
    func wait(_ username: String, from address: Address?, failed: Bool) async -> Int? {
        let origin = Self.origin(address)
        let name = UserFields.normalized(username) ?? username
        let limits = [("login \(origin) \(name)", Self.perName), ("login \(origin)", Self.perAddress)]
        let now = self.clock.now()
        var longest: Int?
        for (key, most) in limits {
            let windows = [RateWindow(most: most, length: Self.length)]
            let wait =
                failed
                ? await self.limiter.take(key, windows: windows, now: now)
                : await self.limiter.wait(for: key, windows: windows, now: now)
            if let wait { longest = max(longest ?? 0, wait) }
        }
        return longest
    }

    /// An IPv4 address, or the network (64 bits) of an IPv6 address: whoever has one has all of it.
    private static func origin(_ address: Address?) -> String {
        guard let address else { return "-" }
        if address.octets.count == 4 { return address.description }
        return address.octets.prefix(8).map { String($0, radix: 16) }.joined(separator: ".") + "/64"
    }
}
