import PosternCore
import Testing

@Suite struct UpstreamSessionsTests {
    /// A machine with session 1, which allows `limit` streams and has none.
    private static func withSession(limit: Int = 2) -> UpstreamSessions {
        var machine = UpstreamSessions(.h2)
        _ = machine.wanted(0)
        _ = machine.connected(1, limit: limit)
        _ = machine.streamClosed(1)
        return machine
    }

    @Test("the first place makes a connection, and those that come meanwhile wait for the same one")
    func firstPlaces() {
        var machine = UpstreamSessions(.h2)
        #expect(machine.wanted(10) == .connect)
        #expect(machine.wanted(11) == nil)
        #expect(machine.wanted(12) == nil)
        #expect(machine.connecting == 1 && machine.waitingCount == 3)
        #expect(machine.connected(1, limit: 100) == [.open(10, on: 1), .open(11, on: 1), .open(12, on: 1)])
        #expect(machine.streamCount == 3 && machine.waitingCount == 0)
        #expect(machine.wanted(13) == .open(13, on: 1))
    }

    @Test("one more connection is made when the service allows no more streams, and the first with room is used")
    func limits() {
        var machine = Self.withSession(limit: 2)
        #expect(machine.wanted(10) == .open(10, on: 1))
        #expect(machine.wanted(11) == .open(11, on: 1))
        #expect(machine.wanted(12) == .connect)
        #expect(machine.connected(2, limit: 2) == [.open(12, on: 2)])
        #expect(machine.streamClosed(1) == [])
        #expect(machine.wanted(13) == .open(13, on: 1))
        #expect(machine.sessionCount == 2 && machine.streamCount == 3)
    }

    @Test("more that wait than a connection is expected to carry make more connections")
    func manyWait() {
        var machine = Self.withSession(limit: 2)
        for place in 0..<2 { _ = machine.wanted(place) }
        #expect((2..<7).map { machine.wanted($0) } == [.connect, nil, .connect, nil, .connect])
        #expect(machine.connected(2, limit: 5) == (2..<7).map { .open($0, on: 2) })
    }

    @Test("a place that waits is served by a stream that ends, before a connection is there")
    func servedByAnother() {
        var machine = Self.withSession(limit: 1)
        _ = machine.wanted(10)
        #expect(machine.wanted(11) == .connect)
        #expect(machine.streamClosed(1) == [.open(11, on: 1)])
        #expect(machine.connected(2, limit: 1) == [.park(2)])
    }

    @Test func nobodyOvertakes() {
        var machine = Self.withSession(limit: 0)
        #expect(machine.wanted(10) == nil)
        #expect(machine.limitChanged(1, to: 1) == [.open(10, on: 1)])
        #expect(machine.wanted(11) == .connect)
        #expect(machine.limitChanged(1, to: 3) == [.open(11, on: 1)])
        #expect(machine.wanted(12) == .open(12, on: 1))
    }

    @Test("a service that allows no stream for the moment is not asked for connection after connection")
    func nothingAllowed() {
        var machine = Self.withSession(limit: 0)
        #expect(machine.wanted(10) == nil && machine.wanted(11) == nil)
        #expect(machine.connecting == 0)
        #expect(machine.closed(1) == [.connect, .connect])
    }

    @Test("without streams a session is kept")
    func parks() {
        var machine = Self.withSession()
        #expect(machine.wanted(10) == .open(10, on: 1))
        #expect(machine.streamClosed(1) == [.park(1)])
        #expect(machine.leaving(1) == [.close(1)])
        #expect(machine.wanted(11) == .connect)
    }

    @Test("after GOAWAY a session gets nothing new, and closes with its last stream")
    func goAway() {
        var machine = Self.withSession(limit: 3)
        _ = machine.wanted(10)
        _ = machine.wanted(11)
        #expect(machine.leaving(1) == [])
        #expect(machine.wanted(12) == .connect)
        #expect(machine.streamClosed(1) == [])
        #expect(machine.connected(2, limit: 3) == [.open(12, on: 2)])
        #expect(machine.streamClosed(1) == [.close(1)])
        #expect(machine.closed(1) == [])
        #expect(machine.leaving(1) == [] && machine.streamClosed(1) == [])
    }

    @Test("what waited for a session that goes away has a connection made")
    func goAwayWithWaiters() {
        var machine = Self.withSession(limit: 0)
        _ = machine.wanted(10)
        #expect(machine.leaving(1) == [.close(1), .connect])
    }

    @Test("the numbers of streams of one connection are not used up")
    func lifetime() {
        var machine = UpstreamSessions(.h2, lifetime: 2)
        _ = machine.wanted(10)
        #expect(machine.connected(1, limit: 100) == [.open(10, on: 1)])
        #expect(machine.wanted(11) == .open(11, on: 1))
        #expect(machine.wanted(12) == .connect)
        #expect(machine.streamClosed(1) == [])
        #expect(machine.streamClosed(1) == [.close(1)])
        // The last number of a stream is below 2^31.
        #expect(UpstreamSessions.lifetime * 2 + 1 < 1 << 31)
    }

    @Test("a connection that cannot be made fails those that it was for")
    func connectFails() {
        var machine = UpstreamSessions(.h2)
        for place in 10..<13 { _ = machine.wanted(place) }
        #expect(machine.connectFailed() == [.fail(10), .fail(11), .fail(12)])
        #expect(machine.waitingCount == 0 && machine.connecting == 0)
        #expect(machine.wanted(13) == .connect)
    }

    @Test("one of several connections that cannot be made fails its share")
    func shares() {
        var machine = Self.withSession(limit: 2)
        for place in 0..<2 { _ = machine.wanted(place) }
        for place in 10..<14 { _ = machine.wanted(place) }
        #expect(machine.connecting == 2)
        #expect(machine.connectFailed() == [.fail(10), .fail(11)])
        #expect(machine.connectFailed() == [.fail(12), .fail(13)])
    }

    @Test("when the service is given up, all that wait are told, and nothing more is connected for them")
    func givenUp() {
        var machine = Self.withSession(limit: 0)
        _ = machine.wanted(10)
        _ = machine.wanted(11)
        #expect(machine.giveUp() == [.fail(10), .fail(11)])
        #expect(machine.closed(1) == [] && machine.waitingCount == 0)
    }

    // MARK: - auto

    @Test("until ALPN has spoken, one connection is made for all")
    func unknown() {
        var machine = UpstreamSessions(.unknown)
        #expect(machine.wanted(10) == .connect)
        for place in 11..<300 { #expect(machine.wanted(place) == nil) }
        #expect(machine.connectFailed().count == 290)
    }

    @Test("when it says HTTP/1.1 each place needs its own connection, and they are made at once")
    func http1() {
        var machine = UpstreamSessions(.unknown)
        for place in 10..<13 { _ = machine.wanted(place) }
        #expect(machine.connectedHTTP1() == [.give(10), .connect, .connect])
        #expect(machine.spoken == .http1)
        #expect(machine.wanted(13) == .connect)
        #expect(machine.connectedHTTP1() == [.give(11)])
        #expect(machine.connectFailed() == [.fail(12)])
        #expect(machine.connectedHTTP1() == [.give(13)])
    }

    @Test("a service that begins to speak HTTP/2 serves all on the first such connection; others are not needed")
    func becomesHTTP2() {
        var machine = UpstreamSessions(.unknown)
        for place in 10..<13 { _ = machine.wanted(place) }
        _ = machine.connectedHTTP1()
        #expect(machine.connected(1, limit: 10) == [.open(11, on: 1), .open(12, on: 1)])
        #expect(machine.spoken == .h2)
        #expect(machine.connectedHTTP1() == [])
    }

    // MARK: - Drain

    @Test func drains() {
        var machine = Self.withSession()
        #expect(machine.drain() == [1])
        var busy = Self.withSession()
        _ = busy.wanted(10)
        #expect(busy.drain() == [])
        #expect(busy.streamClosed(1) == [.close(1)])
        var late = UpstreamSessions(.h2)
        _ = late.wanted(10)
        #expect(late.drain() == [])
        #expect(late.connected(1, limit: 1) == [.open(10, on: 1)])
        #expect(late.streamClosed(1) == [.close(1)])
    }
}
