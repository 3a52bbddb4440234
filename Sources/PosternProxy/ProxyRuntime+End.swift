import Logging
import NIOCore
import PosternCore
import Synchronization

// The end of the process, and the beginning of one that takes the place of another.
extension ProxyRuntime {
    /// Why the process is to end.
    enum Ending: Sendable {
        /// A signal.
        case stopped
        /// Another process accepts connections at its addresses (SIGUSR2).
        case takenOver
    }

    // MARK: - Drain

    /// Ends the process without breaking a request that is in flight.
    func drain(_ ending: Ending) async {
        let timeouts = self.state.withLock { state in
            state.draining = true
            state.takenOver = ending == .takenOver
            return state.snapshot.timeouts
        }
        self.logger.info(
            "draining",
            metadata: [
                "connections": "\(self.services.openConnections)", "taken_over": "\(ending == .takenOver)",
            ])
        var open = self.listeners.withLock { $0 }
        switch ending {
        case .stopped:
            try? await Task.sleep(for: .nanoseconds(timeouts.drainDelay))
        case .takenOver:
            // The successor answers for this address: whoever asks about it is to hear of that one.
            open += self.admin.withLock { $0 }
            for listener in open { await listener.leaveToSuccessor() }
            self.drainLoops()
            try? await Task.sleep(for: OpenListener.handshakeTime)
        }
        for listener in open { await listener.close() }
        self.drainLoops()
        await self.awaitConnections(for: .nanoseconds(timeouts.drain))
    }

    private func drainLoops() {
        for loop in self.loops { loop.eventLoop.execute { loop.value.drain() } }
    }

    private func awaitConnections(for patience: Duration) async {
        let clock = ContinuousClock()
        let deadline = clock.now + patience
        while self.services.openConnections > 0, clock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
        }
        let broken = self.services.openConnections
        for loop in self.loops {
            try? await loop.eventLoop.submit {
                loop.value.closeAll()
                loop.value.accessLog.handOver()
            }.get()
        }
        await self.services.keys.stop()
        self.services.introspection.stop()
        self.services.health.stop()
        // Spans of connections that were broken off come first: event loops do what they were told in turn.
        await self.services.tracing.stop(within: min(Self.exportPatience, max(.zero, deadline - clock.now)))
        for listener in self.admin.withLock({ $0 }) { await listener.close() }
        self.logger.info("drained", metadata: ["connections_broken": "\(broken)"])
    }

    /// How long a collector is waited for at the end, inside what is left of `timeouts.drain`.
    private static let exportPatience = Duration.seconds(5)

    // MARK: - Take-over

    /// How long a process that is to take over another one may need until it can serve.
    private static let patience = Duration.seconds(10)

    /// Waits until this process could serve. The predecessor serves until then, and goes on if that does not happen.
    func becomeReady(inPlaceOf predecessor: Predecessor) async throws(Listeners.Failure) {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.patience
        while true {
            var readiness = await self.readiness()
            readiness.listening = true
            if readiness.isReady { return }
            // A service that is not well is no better off with the predecessor.
            if clock.now >= deadline { readiness.unhealthyUpstream = nil }
            if readiness.isReady { return }
            guard clock.now < deadline, (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                throw Listeners.Failure(
                    description: "not ready to take over process \(predecessor.process), which goes on: "
                        + readiness.json.serialized())
            }
        }
    }

    /// Tells the predecessor that this process listens; once it is gone, its word about new connections ends, too.
    func takeOver(_ predecessor: Predecessor) async {
        predecessor.giveWay()
        self.logger.info("taking over", metadata: ["process": "\(predecessor.process)"])
        while predecessor.isThere {
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { return }
        }
        let open = self.listeners.withLock { $0 } + self.admin.withLock { $0 }
        for listener in open { await listener.takeOver() }
        self.logger.info("took over", metadata: ["process": "\(predecessor.process)"])
    }
}
