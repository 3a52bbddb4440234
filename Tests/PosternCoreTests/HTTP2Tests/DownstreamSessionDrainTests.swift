import Testing

@testable import PosternCore

@Suite struct DownstreamSessionDrainTests {
    private static let second: Int64 = 1_000_000_000

    private static func session() -> DownstreamSession {
        DownstreamSession(limits: DownstreamSession.Limits(head: 10 * second, idle: 60 * second), now: 0)
    }

    @Test("a client that has just connected is told as soon as it has greeted: its first requests are on their way")
    func greeting() {
        var session = Self.session()
        #expect(session.drain(now: 0) == .none)
        #expect(session.deadline == Self.second)
        session.streamOpened()
        #expect(session.greeted(now: 5) == .announce)
        #expect(session.state == .leaving)
        #expect(session.heard(now: 6) == .finish)
        #expect(session.streamClosed(now: 7) == .finishAndClose)
    }

    @Test("one that does not greet is let go after a second, or when its time is over")
    func silent() {
        var session = Self.session()
        #expect(session.drain(now: 0) == .none)
        #expect(session.deadlinePassed(now: Self.second) == .cut)
        var late = Self.session()
        #expect(late.drain(now: 9 * Self.second + 5) == .none)
        #expect(late.deadline == 10 * Self.second)
    }

    @Test("without a drain a greeting asks for nothing")
    func greeted() {
        var session = Self.session()
        #expect(session.greeted(now: 1) == .none)
        #expect(session.state == .open)
        #expect(session.greeted(now: 2) == .none)
        #expect(session.drain(now: 3) == .announce)
        #expect(session.drain(now: 4) == .none)
    }
}
