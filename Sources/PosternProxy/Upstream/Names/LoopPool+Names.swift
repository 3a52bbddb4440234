import NIOCore
import PosternCore

// A service that moves: its name stands for other addresses than those that there are connections to.
extension LoopPool {
    /// Looks after the name of the service for as long as there are connections.
    func followName() {
        guard self.dial.mayMove, !self.dial.isFollowed else { return }
        self.dial.isFollowed = true
        self.lookAgainLater()
    }

    private func lookAgainLater() {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(self.followInterval)) {
            bound.value.lookAgain()
        }
    }

    private func lookAgain() {
        guard self.machine.connectionCount > 0 else {
            self.dial.isFollowed = false
            return
        }
        // What another event loop has found out since is as good: together no more than one look-up in this time.
        self.dial.refresh(maxAge: self.followInterval / 2)
        self.lookAgainLater()
    }

    /// Half of `timeouts.upstream_idle`: with the time that an event loop may be behind another, an address that is gone is
    /// not used for longer than that. Half a second at least, half a minute at most.
    private var followInterval: Int64 {
        min(max(self.upstream.idleTimeout / 2, 500_000_000), 30_000_000_000)
    }

    /// Connections to addresses that the name does not stand for any more serve no other request.
    func retireVanished() {
        self.retire { !self.dial.stillMeans($0.remoteAddress) }
        self.sessions?.retire { !self.dial.stillMeans($0) }
    }
}
