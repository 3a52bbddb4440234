import NIOCore
import PosternCore

// Tunnels: what goes on after a 101. The machine (`Tunnel`) says what passes and when it ends.
extension DownstreamHandler {
    // MARK: - Beginning

    /// A permitted request asks for another protocol. Returns why it is refused, or nil; the upstream is asked for what
    /// `tunnel` then holds, if anything.
    func prepareTunnel(_ bytes: RawSpan, route: Int, token: VerifiedToken?) -> Refusal? {
        switch self.loop.intake.protocolSwitch(bytes, gate: self.snapshot.gate, route: route) {
        case .ordinary:
            return self.stream?.tunnel == nil ? nil : .unknownProtocol
        case .allowed(let upgrade):
            self.tunnel = TunnelLink(upgrade, token: token)
            return nil
        case .refused(let refusal):
            return refusal
        }
    }

    /// The upstream has switched: from here on the request is counted, and its line in the access log is due at the end.
    func openTunnel() {
        guard let tunnel else { preconditionFailure("a 101 is taken only where a protocol was asked for") }
        let now = self.loop.now
        self.record.status = 101
        self.record.upstreamDuration = now &- self.record.upstreamStarted
        self.countRequest(status: 101, duration: now &- self.record.started)
        let limits = Tunnel.Limits(idle: self.snapshot.timeouts.tunnelIdle, ending: TunnelLink.endingTime)
        let machine = Tunnel(
            tunnel.upgrade.kind, limits: limits, now: now, expiresAt: self.tunnelExpiry(tunnel.token, now: now))
        tunnel.machine = machine
        self.loop.addTunnel(self, tunnel.upgrade.kind)
        self.setDeadline(machine.deadline)
    }

    /// When a tunnel's token is over, in monotonic nanoseconds. A token that was let in inside the leeway after its expiry
    /// has the leeway.
    private func tunnelExpiry(_ token: VerifiedToken?, now: Int64) -> Int64 {
        guard self.snapshot.configuration.tunnelAtExpiry == .close, let token else { return .max }
        var left = token.principal.expiresAt - self.loop.wallTime
        if left <= 0 {
            let issuer = self.snapshot.issuers.first { $0.rules.name == token.principal.issuer }
            left += issuer?.rules.leeway ?? 0
        }
        // More than thirty years.
        guard left < 1_000_000_000 else { return .max }
        return now &+ Int64(max(0, left) * 1_000_000_000)
    }

    /// The 101 is on its way to the client: what it had sent behind its request follows the head to the upstream.
    func tunnelOpened() {
        // Revocations look through tunnels that are open: this one was not yet while the service made up its mind.
        self.recheckTunnel()
        guard self.exchange.state == .tunnelling else { return }
        self.processPending()
        self.resumeReading()
        if self.exchange.isDraining { self.drainTunnel() }
    }

    // MARK: - Bytes

    /// Passes on what came from a side, as far as the machine says.
    func tunnelled(_ buffer: inout ByteBuffer, from side: Tunnel.Side) {
        guard let tunnel, var machine = tunnel.machine else { return buffer.moveReaderIndex(to: buffer.writerIndex) }
        let (passed, action) = machine.received(buffer.readableBytesSpan, from: side, now: self.loop.now)
        tunnel.machine = machine
        if passed > 0, let slice = buffer.readSlice(length: passed) {
            switch side {
            case .client:
                self.record.bytesIn &+= Int64(passed)
                self.upstream?.write(slice)
            case .upstream:
                self.relay(slice)
            }
        }
        buffer.moveReaderIndex(to: buffer.writerIndex)
        self.perform(action)
        self.setTunnelDeadline()
    }

    // MARK: - Ends

    func stepTunnel(_ event: (inout Tunnel) -> Tunnel.Action) {
        guard let tunnel, var machine = tunnel.machine else { return }
        let action = event(&machine)
        tunnel.machine = machine
        self.perform(action)
        self.setTunnelDeadline()
    }

    private func setTunnelDeadline() {
        guard self.exchange.state == .tunnelling, let machine = self.tunnel?.machine else { return }
        self.setDeadline(machine.deadline)
    }

    func tunnelInputEnded(_ side: Tunnel.Side) {
        let now = self.loop.now
        self.stepTunnel { $0.inputEnded(side, now: now) }
    }

    /// The process is to end.
    func drainTunnel() {
        let now = self.loop.now
        self.stepTunnel { $0.drain(now: now) }
    }

    /// Ends the tunnel if its token counts no more.
    func recheckTunnel() {
        guard let terms = self.tunnel?.token?.terms, self.snapshot.configuration.tunnelAtExpiry == .close,
            self.loop.intake.refusal(for: terms) != nil
        else { return }
        let now = self.loop.now
        self.stepTunnel { $0.revoked(now: now) }
    }

    // MARK: - Actions

    private func perform(_ action: Tunnel.Action) {
        switch action {
        case .none: break
        case .endOutput(let side): self.endOutput(side)
        case .tell(let end, let tellsUpstream): self.tell(end, tellsUpstream: tellsUpstream)
        case .finish:
            self.leaveUpstream(saying: nil)
            self.closeTunnel(lingers: false)
            self.closeNow()
        case .cut(let reset):
            self.flushNow()
            self.closeTunnel(lingers: false)
            if reset { self.upstream?.reset() }
            self.dropUpstream()
            if reset { self.reset() } else { self.closeNow() }
        }
    }

    private func endOutput(_ side: Tunnel.Side) {
        let connection: LoopConnection? = side == .client ? self : self.upstream
        guard let connection else { return }
        let bound = NIOLoopBound((self, connection), eventLoop: self.loop.eventLoop)
        connection.whenWritten {
            let (handler, connection) = bound.value
            // Where the input has ended, too, this closes the connection.
            connection.context?.close(mode: .output, promise: nil)
            handler.stepTunnel { $0.outputEnded(side) }
        }
    }

    private func tell(_ end: Tunnel.End, tellsUpstream: Bool) {
        let (code, reason) = end.closing
        self.relay { $0.append(contentsOf: CloseFrame.bytes(code: code, reason: reason, mask: nil)) }
        let mask = tellsUpstream ? UInt32.random(in: 0 ... .max) : nil
        self.leaveUpstream(saying: mask.map { CloseFrame.bytes(code: code, reason: reason, mask: $0) })
        self.closeTunnel(lingers: true)
        self.linger()
        self.resumeReading()
    }

    private func leaveUpstream(saying frame: [UInt8]?) {
        guard let upstream else { return }
        self.upstream = nil
        upstream.leaveTunnel(saying: frame)
    }

    private func closeTunnel(lingers: Bool) {
        self.note { $0.tunnelEnded(lingers: lingers) }
        self.finishRecord()
    }
}
