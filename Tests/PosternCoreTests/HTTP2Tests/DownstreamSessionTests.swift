import PosternCore
import Testing

@Suite struct DownstreamSessionTests {
    private static let limits = DownstreamSession.Limits(head: 10, idle: 60, leaving: 5)
    private static func open(at now: Int64 = 1) -> DownstreamSession {
        var session = DownstreamSession(limits: Self.limits, now: 0)
        session.greeted(now: now)
        return session
    }

    private static func receive(_ bytes: [UInt8], by session: inout DownstreamSession, now: Int64) {
        session.received(bytes.span.bytes, now: now)
    }

    @Test("a client that does not greet is cut off")
    func greeting() {
        var session = DownstreamSession(limits: Self.limits, now: 100)
        #expect(session.deadline == 110)
        #expect(session.deadlinePassed(now: 110) == .cut)
        #expect(session.state == .closed)
        var drained = DownstreamSession(limits: Self.limits, now: 100)
        #expect(drained.drain(now: 101) == .none)
        #expect(drained.deadlinePassed(now: 110) == .cut)
    }

    @Test("without a stream a connection is idle; with one it is not")
    func idle() {
        var session = Self.open()
        #expect(session.deadline == 61)
        session.streamOpened()
        #expect(session.deadline == .max)
        session.streamOpened()
        #expect(session.streamClosed(now: 80) == .none)
        #expect(session.deadline == .max)
        #expect(session.streamClosed(now: 90) == .none)
        #expect(session.deadline == 150)
        #expect(session.deadlinePassed(now: 150) == .announce)
        #expect(session.state == .leaving)
        #expect(session.deadlinePassed(now: session.deadline) == .finishAndClose)
        #expect(session.deadlinePassed(now: session.deadline) == .cut)
    }

    @Test(
        "a client that sends many malformed requests in a second is told to calm down, once; one that errs now and then is not"
    )
    func malformed() {
        let second: Int64 = 1_000_000_000
        var calm = Self.open()
        for number in 0..<(20 * Int64(DownstreamSession.malformedLimit)) {
            #expect(calm.malformed(now: second + number * second / Int64(DownstreamSession.malformedLimit)) == .none)
        }
        var wild = Self.open()
        for _ in 0..<DownstreamSession.malformedLimit { #expect(wild.malformed(now: 5 * second) == .none) }
        #expect(wild.malformed(now: 6 * second - 1) == .calmDown)
        #expect(wild.state == .closed && wild.deadline == 6 * second - 1 + 5)
        #expect(wild.malformed(now: 6 * second - 1) == .none)
        #expect(wild.deadlinePassed(now: wild.deadline) == .cut)
    }

    @Test(
        "a client that opens many more streams than it may is told to calm down; one that does not know the limit yet is not"
    )
    func refused() {
        var session = Self.open()
        let now: Int64 = 3_000_000_000
        for _ in 0..<DownstreamSession.refusedLimit { #expect(session.refused(now: now) == .none) }
        for _ in 0..<DownstreamSession.malformedLimit { #expect(session.malformed(now: now) == .none) }
        #expect(session.refused(now: now + 1_000_000_000) == .none)
        for _ in 1..<DownstreamSession.refusedLimit { #expect(session.refused(now: now + 1_000_000_001) == .none) }
        #expect(session.refused(now: now + 1_999_999_999) == .calmDown)
        #expect(session.state == .closed)
    }

    @Test("windows are opened for requests and for content, and not much more often")
    func windows() {
        let update: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 0, 1]
        let head: [UInt8] = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x82]
        var session = Self.open()
        Self.receive([UInt8](repeating: 0, count: 24), by: &session, now: 1)
        for _ in 0..<200 { Self.receive(update, by: &session, now: 1) }
        #expect(!session.opensTooManyWindows(contentFrames: 0))
        Self.receive(update, by: &session, now: 1)
        #expect(session.opensTooManyWindows(contentFrames: 0) && !session.opensTooManyWindows(contentFrames: 1))
        Self.receive(head, by: &session, now: 1)
        #expect(!session.opensTooManyWindows(contentFrames: 0))
        for _ in 0..<21 { Self.receive(update, by: &session, now: 1) }
        #expect(!session.opensTooManyWindows(contentFrames: 1))
        Self.receive(update, by: &session, now: 1)
        #expect(session.opensTooManyWindows(contentFrames: 1))
        #expect(session.windowsOpened(now: 2) == .calmDown && session.windowsOpened(now: 2) == .none)
    }

    @Test("settings that come again change nothing")
    func greetedTwice() {
        var session = Self.open(at: 1)
        session.greeted(now: 50)
        #expect(session.deadline == 61)
    }

    @Test("streams that were opened before the client has heard are served")
    func drain() {
        var session = Self.open()
        session.streamOpened()
        #expect(session.drain(now: 10) == .announce)
        #expect(session.drain(now: 11) == .none)
        session.streamOpened()
        #expect(session.streamClosed(now: 12) == .none)
        #expect(session.heard(now: 13) == .finish)
        #expect(session.deadline == .max)
        #expect(session.heard(now: 13) == .none)
        #expect(session.streamClosed(now: 20) == .finishAndClose)
        #expect(session.state == .closed)
        #expect(session.deadline == 25)
        #expect(session.deadlinePassed(now: 25) == .cut)
    }

    @Test("without streams it closes as soon as the client has heard")
    func drainIdle() {
        var session = Self.open()
        #expect(session.drain(now: 10) == .announce)
        #expect(session.heard(now: 11) == .finishAndClose)
    }

    @Test("a client that does not answer is not waited for, its streams are")
    func deafClient() {
        var session = Self.open()
        session.streamOpened()
        #expect(session.drain(now: 10) == .announce)
        #expect(session.deadline == 15)
        #expect(session.deadlinePassed(now: 15) == .finish)
        #expect(session.streamClosed(now: 99) == .finishAndClose)
    }

    @Test("limits that change hold for what begins after that")
    func changedLimits() {
        var session = Self.open()
        session.streamOpened()
        session.limits.idle = 7
        #expect(session.streamClosed(now: 100) == .none)
        #expect(session.deadline == 107)
    }

    @Test("an answer to a PING that was not sent means nothing")
    func unasked() {
        var session = Self.open()
        #expect(session.heard(now: 3) == .none)
        #expect(session.state == .open)
    }

    @Test("an error of the connection ends it, once")
    func broken() {
        var session = Self.open()
        session.streamOpened()
        #expect(session.broken(now: 7) == .finishAndClose)
        #expect(session.broken(now: 8) == .none)
        #expect(session.streamClosed(now: 9) == .none)
        #expect(session.deadline == 12)
    }

    @Test("a field section that is not complete does not put off the end of a connection that was told to calm down")
    func brokenInHead() {
        var session = DownstreamSession(limits: DownstreamSession.Limits(head: 3, idle: 60, leaving: 5), now: 0)
        session.greeted(now: 1)
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        Self.receive(preface + [0, 0, 9, 1, 4, 0, 0, 0, 1, 0x82], by: &session, now: 2)
        #expect(session.deadline == 5)
        for _ in 0...DownstreamSession.malformedLimit { _ = session.malformed(now: 2) }
        #expect(session.state == .closed && session.deadline == 7)
        #expect(session.deadlinePassed(now: 7) == .cut)
    }

    @Test("a field section has its own time, whatever streams there are")
    func unfinishedHead() {
        var session = DownstreamSession(limits: Self.limits, now: 0)
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        let headers: [UInt8] = [0, 0, 2, 1, 0, 0, 0, 0, 1, 0x82]
        Self.receive(preface + headers, by: &session, now: 1)
        session.greeted(now: 1)
        session.streamOpened()
        #expect(session.deadline == 11)
        // The end of this one, and a continuation that is not the last.
        Self.receive([0x84, 0, 0, 0, 9, 0, 0, 0, 0, 1], by: &session, now: 5)
        #expect(session.deadline == 11)
        Self.receive([0, 0, 0, 9, 4, 0, 0, 0, 1], by: &session, now: 6)
        #expect(session.deadline == .max)
        Self.receive([0, 0, 0, 1, 0, 0, 0, 0, 3], by: &session, now: 20)
        #expect(session.deadline == 30)
        #expect(session.deadlinePassed(now: 30) == .finishAndClose)
    }
}
