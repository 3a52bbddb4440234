public import NIOCore

/// A connection that listens on one channel, and is made anew by itself.
///
/// Bound to its event loop: everything is to be called there, and calls back there. A peer that is silent is noticed
/// within a second. In a cluster any node will do: what is published to one reaches all.
public final class RedisSubscription {
    /// What happens on the channel.
    public enum Event: Equatable, Sendable {
        /// From now on every message comes. What was published before is for the owner to load.
        case subscribed
        case message([UInt8])
        /// Messages may be missed from now on, until the next `subscribed`. Said once for each outage, and once if the
        /// first attempt fails. The reason is for operators and has no secrets.
        case down(String)
    }

    private let eventLoop: any EventLoop
    private let channel: [UInt8]
    private let onEvent: (Event) -> Void
    private var link: RedisLink?
    /// What was said last: nil before the first attempt has ended.
    private var isSubscribed: Bool?

    public init(
        eventLoop: any EventLoop, settings: RedisSettings, channel: [UInt8], onEvent: @escaping (Event) -> Void
    ) {
        self.eventLoop = eventLoop
        self.channel = channel
        self.onEvent = onEvent
        let locator: RedisLink.Locator =
            switch settings.topology {
            case .single(let address): .addresses([address])
            case .sentinel(let sentinels, let master): .sentinel(sentinels, master: master)
            case .cluster(let seeds): .addresses(seeds)
            }
        self.link = RedisLink(eventLoop: eventLoop, settings: settings, locator: locator, times: .subscription) {
            [weak self] connection in
            if let connection { self?.subscribe(on: connection) } else { self?.lost() }
        }
    }

    /// Begins to connect.
    public func start() {
        self.eventLoop.preconditionInEventLoop()
        self.link?.start()
    }

    /// Closes the connection. No event comes any more, and it cannot be started again.
    public func stop() {
        self.eventLoop.preconditionInEventLoop()
        self.link?.stop()
        self.link = nil
    }

    /// Why it is down: what the latest attempt met with.
    public var reason: String? { self.link?.reason }

    private func subscribe(on connection: RedisConnection) {
        connection.send([Array("SUBSCRIBE".utf8), self.channel]) { [weak self, weak connection] result in
            guard let self, let connection, self.link != nil else { return }
            // Without a reply the connection is over, and the link says so.
            guard case .success(let reply) = result else { return }
            if case .error(let text) = reply {
                return connection.giveUp(reason: "SUBSCRIBE was refused: \(RedisReply.code(ofError: text))")
            }
            guard reply.array?.first?.text == "subscribe" else {
                return connection.giveUp(reason: "SUBSCRIBE was answered strangely")
            }
            connection.takesPush = { [weak self] in self?.takes($0) ?? false }
            self.isSubscribed = true
            self.onEvent(.subscribed)
        }
    }

    /// Takes `message`, channel, payload; anything else answers a PING.
    private func takes(_ reply: RedisReply) -> Bool {
        guard let parts = reply.array, parts.count == 3, parts[0].text == "message",
            case .string(let payload) = parts[2]
        else { return false }
        self.onEvent(.message(payload))
        return true
    }

    private func lost() {
        guard self.isSubscribed != false else { return }
        self.isSubscribed = false
        self.onEvent(.down(self.link?.reason ?? "no connection"))
    }
}
