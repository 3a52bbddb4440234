import Testing

@testable import PosternIssuer

@Suite struct LoginThrottleTests {
    private let clock = TestClock()

    private func throttle() -> LoginThrottle {
        LoginThrottle(limiter: RateLimiter(), clock: self.clock.clock)
    }

    @Test("Ten failures for a name from an address, in any case of letters, and the next has to wait")
    func perName() async {
        let throttle = self.throttle()
        let here = Address("192.0.2.1")
        for count in 0..<10 {
            #expect(await throttle.wait("ann", from: here, failed: false) == nil)
            #expect(await throttle.wait(count % 2 == 0 ? "Ann" : "ann", from: here, failed: true) == nil)
        }
        #expect(await throttle.wait("ANN", from: here, failed: false) == 900)
        #expect(await throttle.wait("bob", from: here, failed: false) == nil)
        #expect(await throttle.wait("ann", from: Address("192.0.2.2"), failed: false) == nil)
        self.clock.advance(by: 899.5)
        #expect(await throttle.wait("ann", from: here, failed: false) == 1)
        self.clock.advance(by: 0.5)
        #expect(await throttle.wait("ann", from: here, failed: false) == nil)
    }

    @Test("What succeeds is not counted")
    func successes() async {
        let throttle = self.throttle()
        for _ in 0..<500 { #expect(await throttle.wait("ann", from: nil, failed: false) == nil) }
    }

    @Test("A hundred failures from an address, whatever the names")
    func perAddress() async {
        let throttle = self.throttle()
        let here = Address("192.0.2.1")
        for count in 0..<100 { #expect(await throttle.wait("user\(count)", from: here, failed: true) == nil) }
        #expect(await throttle.wait("ann", from: here, failed: false) == 900)
        #expect(await throttle.wait("ann", from: Address("192.0.2.2"), failed: false) == nil)
    }

    @Test("An IPv6 network is one address")
    func networks() async {
        let throttle = self.throttle()
        for count in 0..<10 {
            #expect(await throttle.wait("ann", from: Address("2001:db8:1:2::\(count)"), failed: true) == nil)
        }
        #expect(await throttle.wait("ann", from: Address("2001:db8:1:2:ffff::1"), failed: false) != nil)
        #expect(await throttle.wait("ann", from: Address("2001:db8:1:3::1"), failed: false) == nil)
    }

    @Test("Many attempts at once learn no more than ten: beyond that even a right password is refused")
    func atOnce() async {
        let throttle = self.throttle()
        for _ in 0..<30 { #expect(await throttle.wait("ann", from: nil, failed: false) == nil) }
        var answered = 0
        for _ in 0..<29 where await throttle.wait("ann", from: nil, failed: true) == nil { answered += 1 }
        #expect(answered == 10)
        #expect(await throttle.wait("ann", from: nil, failed: false) == 900)
    }

    @Test("Names that can be none count as well")
    func oddNames() async {
        let throttle = self.throttle()
        for _ in 0..<10 { _ = await throttle.wait("no such name!", from: nil, failed: true) }
        #expect(await throttle.wait("no such name!", from: nil, failed: false) != nil)
    }
}
