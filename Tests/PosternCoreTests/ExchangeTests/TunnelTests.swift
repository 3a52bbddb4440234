import Testing

@testable import PosternCore

@Suite struct TunnelTests {
    private static let limits = Tunnel.Limits(idle: 1_000, ending: 50)
    private static let text = FrameTrackerTests.frame(1, 3)
    private static let masked = FrameTrackerTests.frame(1, 3, masked: true)

    private static func tunnel(_ kind: ProtocolSwitch.Kind = .webSocket, expiresAt: Int64 = .max) -> Tunnel {
        Tunnel(kind, limits: limits, now: 100, expiresAt: expiresAt)
    }

    /// Bytes of which so many pass.
    private static func pass(
        _ tunnel: inout Tunnel, _ bytes: [UInt8], from side: Tunnel.Side, now: Int64 = 200, passes: Int? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) -> Tunnel.Action {
        let (passed, action) = tunnel.received(bytes.span.bytes, from: side, now: now)
        #expect(passed == passes ?? bytes.count, sourceLocation: location)
        return action
    }

    @Test("everything passes both ways while it is open, frames or not", arguments: ProtocolSwitch.Kind.allCases)
    func open(_ kind: ProtocolSwitch.Kind) {
        var tunnel = Self.tunnel(kind)
        for side in [Tunnel.Side.client, .upstream] {
            #expect(Self.pass(&tunnel, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], from: side) == .none)
            #expect(Self.pass(&tunnel, [], from: side) == .none)
        }
        #expect(tunnel.state == .open && tunnel.end == nil)
    }

    // MARK: - Time

    @Test("each byte of either side puts the idle deadline off")
    func idle() {
        var tunnel = Self.tunnel()
        #expect(tunnel.deadline == 1_100)
        _ = Self.pass(&tunnel, Self.masked, from: .client, now: 600)
        #expect(tunnel.deadline == 1_600)
        _ = Self.pass(&tunnel, Self.text, from: .upstream, now: 700)
        #expect(tunnel.deadline == 1_700)
        #expect(tunnel.deadlinePassed(now: 1_699) == .none)
        #expect(tunnel.deadlinePassed(now: 1_700) == .tell(.idle, upstream: true))
        #expect(tunnel.state == .closed(.idle) && tunnel.deadline == .max)
    }

    @Test("a token that expires ends a WebSocket with 1008, and anything else by closing it")
    func expiry() {
        var tunnel = Self.tunnel(expiresAt: 500)
        #expect(tunnel.deadline == 500)
        #expect(tunnel.deadlinePassed(now: 499) == .none)
        #expect(tunnel.deadlinePassed(now: 500) == .tell(.expired, upstream: true))
        #expect(Tunnel.End.expired.closing.code == 1008 && Tunnel.End.revoked.closing.code == 1008)
        #expect(Tunnel.End.drained.closing.code == 1001 && Tunnel.End.idle.closing.code == 1001)
        var other = Self.tunnel(.other, expiresAt: 500)
        #expect(other.deadlinePassed(now: 500) == .cut(reset: false))
        #expect(other.state == .closed(.expired))
    }

    @Test("an unlimited idle time does not overflow")
    func endless() {
        var tunnel = Tunnel(.other, limits: Tunnel.Limits(idle: .max, ending: .max), now: 5, expiresAt: .max)
        _ = Self.pass(&tunnel, [1], from: .client, now: .max)
        #expect(tunnel.deadline == .max)
    }

    // MARK: - A close that is said

    @Test("in the middle of a frame to the client its rest passes, then the close; the client's bytes do not")
    func frameEnds() {
        var tunnel = Self.tunnel()
        _ = Self.pass(&tunnel, Array(Self.text[..<3]), from: .upstream)
        #expect(tunnel.revoked(now: 300) == .none)
        #expect(tunnel.state == .ending(.revoked) && tunnel.deadline == 350)
        #expect(Self.pass(&tunnel, Self.masked, from: .client, passes: 0) == .none)
        #expect(Self.pass(&tunnel, [Self.text[3]], from: .upstream) == .none)
        let rest = Array(Self.text[4...]) + Self.text
        #expect(Self.pass(&tunnel, rest, from: .upstream, passes: 1) == .tell(.revoked, upstream: true))
        #expect(Self.pass(&tunnel, Self.text, from: .upstream, passes: 0) == .none)
        #expect(tunnel.state == .closed(.revoked))
    }

    @Test("a frame whose rest does not come in time is cut off, so that nobody takes it for whole")
    func frameDoesNotEnd() {
        var tunnel = Self.tunnel()
        _ = Self.pass(&tunnel, [0x81], from: .upstream)
        _ = tunnel.revoked(now: 300)
        #expect(tunnel.deadlinePassed(now: 350) == .cut(reset: true))
        #expect(tunnel.end == .revoked)
    }

    @Test("the upstream is told only between two of the client's frames")
    func upstreamInFrame() {
        var tunnel = Self.tunnel()
        _ = Self.pass(&tunnel, [0x81, 0x83], from: .client)
        #expect(tunnel.revoked(now: 300) == .tell(.revoked, upstream: false))
    }

    @Test("whoever has said Close itself is told nothing more")
    func closeWasSaid() {
        var server = Self.tunnel()
        _ = Self.pass(&server, FrameTrackerTests.frame(8, 2), from: .upstream)
        #expect(server.revoked(now: 300) == .cut(reset: false))
        var client = Self.tunnel()
        _ = Self.pass(&client, FrameTrackerTests.frame(8, 2, masked: true), from: .client)
        #expect(client.revoked(now: 300) == .tell(.revoked, upstream: false))
        var ending = Self.tunnel()
        _ = Self.pass(&ending, [0x88], from: .upstream)
        #expect(ending.drain(now: 300) == .cut(reset: false))
    }

    @Test("what is no frame has no place for a close")
    func noFrames() {
        var tunnel = Self.tunnel()
        _ = Self.pass(&tunnel, [0x82, 127] + [UInt8](repeating: 0xFF, count: 8), from: .upstream)
        #expect(tunnel.revoked(now: 300) == .cut(reset: false))
    }

    @Test("a draining process tells WebSockets, and lets anything else go on until the end")
    func drain() {
        var tunnel = Self.tunnel()
        #expect(tunnel.drain(now: 300) == .tell(.drained, upstream: true))
        #expect(tunnel.drain(now: 300) == .none)
        var other = Self.tunnel(.other)
        #expect(other.drain(now: 300) == .none)
        #expect(other.state == .open)
        #expect(other.ended() == .cut(reset: true))
        #expect(other.end == .drained)
    }

    // MARK: - Connections

    @Test(
        "a side's end is passed on, the other direction goes on, and both make the end",
        arguments: ProtocolSwitch.Kind.allCases)
    func halfClose(_ kind: ProtocolSwitch.Kind) {
        var tunnel = Self.tunnel(kind)
        #expect(tunnel.inputEnded(.client, now: 300) == .endOutput(.upstream))
        #expect(tunnel.inputEnded(.client, now: 300) == .none)
        #expect(tunnel.outputEnded(.upstream) == .none)
        #expect(Self.pass(&tunnel, Self.text, from: .upstream, now: 310) == .none)
        #expect(tunnel.deadline == (kind == .webSocket ? 360 : 1_310))
        #expect(tunnel.inputEnded(.upstream, now: 320) == .endOutput(.client))
        #expect(tunnel.outputEnded(.client) == .finish)
        #expect(tunnel.end == .closed)
        #expect(tunnel.disconnected(.client) == .none)
        #expect(tunnel.disconnected(.upstream) == .none)
    }

    @Test("an upstream that is gone after both ends waits for what the client has yet to take")
    func gone() {
        var tunnel = Self.tunnel()
        _ = tunnel.inputEnded(.upstream, now: 300)
        _ = tunnel.inputEnded(.client, now: 300)
        #expect(tunnel.disconnected(.upstream) == .none)
        #expect(tunnel.outputEnded(.client) == .finish)
        var client = Self.tunnel()
        _ = client.inputEnded(.upstream, now: 300)
        _ = client.inputEnded(.client, now: 300)
        #expect(client.disconnected(.client) == .finish)
        #expect(client.end == .closed)
    }

    @Test("a connection that is gone after its output had ended has said its last")
    func goneAfterItsOutput() {
        var client = Self.tunnel()
        _ = client.inputEnded(.upstream, now: 300)
        #expect(client.outputEnded(.client) == .none)
        #expect(client.disconnected(.client) == .finish)
        #expect(client.end == .closed)
        var upstream = Self.tunnel()
        _ = upstream.inputEnded(.client, now: 300)
        #expect(upstream.outputEnded(.upstream) == .none)
        #expect(upstream.disconnected(.upstream) == .endOutput(.client))
        #expect(upstream.outputEnded(.client) == .finish)
    }

    @Test("an upstream that is gone, and is known to have said all, ends the client's side in good order")
    func goneInGoodOrder() {
        var tunnel = Self.tunnel()
        #expect(tunnel.disconnected(.upstream, inGoodOrder: true) == .endOutput(.client))
        #expect(tunnel.outputEnded(.client) == .finish)
        #expect(tunnel.end == .closed)
    }

    @Test("an end without TLS's own word is one where a whole Close frame stands for it, and else a break")
    func endedUnannounced() {
        var told = Self.tunnel()
        _ = Self.pass(&told, [0x88, 0x00], from: .upstream)
        #expect(told.endedUnannounced(.upstream) == .endOutput(.client))
        #expect(told.disconnected(.upstream) == .none)
        #expect(told.outputEnded(.client) == .finish)
        var inside = Self.tunnel()
        _ = Self.pass(&inside, [0x81, 0x05, 0x61], from: .upstream)
        #expect(inside.endedUnannounced(.upstream) == .cut(reset: true))
        var silent = Self.tunnel()
        #expect(silent.endedUnannounced(.upstream) == .cut(reset: true))
        #expect(silent.end == .broken)
    }

    @Test("a connection that breaks breaks the other", arguments: [Tunnel.Side.client, .upstream])
    func broken(_ side: Tunnel.Side) {
        var tunnel = Self.tunnel()
        #expect(tunnel.disconnected(side) == .cut(reset: true))
        #expect(tunnel.end == .broken)
        var half = Self.tunnel()
        _ = half.inputEnded(side, now: 300)
        #expect(half.disconnected(side) == .cut(reset: true))
        var failed = Self.tunnel()
        _ = failed.inputEnded(side, now: 300)
        _ = failed.inputEnded(side == .client ? .upstream : .client, now: 300)
        #expect(failed.failed(side) == .cut(reset: true))
        #expect(failed.end == .broken)
        #expect(failed.failed(side) == .none)
    }

    @Test("a side that ends while a frame is waited for ends the wait")
    func endsWhileEnding() {
        for side in [Tunnel.Side.client, .upstream] {
            var tunnel = Self.tunnel()
            _ = Self.pass(&tunnel, [0x81], from: .upstream)
            _ = tunnel.revoked(now: 300)
            #expect(tunnel.inputEnded(side, now: 310) == .cut(reset: false))
            #expect(tunnel.end == .revoked)
            var gone = Self.tunnel()
            _ = Self.pass(&gone, [0x81], from: .upstream)
            _ = gone.revoked(now: 300)
            #expect(gone.disconnected(side) == .cut(reset: false))
        }
    }

    // MARK: - Property

    @Test("what the client gets is whole frames and, if anything, one Close at the end, whatever happens when")
    func wholeFrames() {
        var numbers = SeededNumbers(seed: 101)
        for _ in 0..<500 {
            var tunnel = Self.tunnel()
            let stream = (0..<6).flatMap { _ in
                FrameTrackerTests.frame(numbers.pick([1, 2, 9]), numbers.pick([0, 3, 126, 700]))
            }
            let when = Int.random(in: 0...stream.count, using: &numbers)
            var (got, told, offset) = ([UInt8](), false, 0)
            while offset < stream.count, !told {
                let next = min(stream.count, offset + Int.random(in: 1...500, using: &numbers))
                let part = Array(stream[offset..<next])
                let (passed, action) = tunnel.received(part.span.bytes, from: .upstream, now: 200)
                got += part[..<passed]
                if case .tell = action { told = true }
                offset = next
                if tunnel.state == .open, offset >= when, case .tell = tunnel.revoked(now: 200) { told = true }
            }
            #expect(told && Array(stream[..<got.count]) == got)
            var check = FrameTracker()
            check.take(got.span.bytes)
            #expect(check.isAtBoundary)
        }
    }
}
