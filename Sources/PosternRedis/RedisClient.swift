public import NIOCore

/// The Redis of one event loop: pipelined commands, a circuit, and connections that are made anew by themselves.
///
/// All of it happens on the event loop, and everything is to be called there. A Redis that does not answer within
/// ``RedisSettings/timeout`` fails the commands that wait, once; until it is back, commands are refused at once.
/// Dropping the client without ``stop()`` leaves its connection open until the peer closes it.
public final class RedisClient {
    private enum Route {
        case link(RedisLink)
        case cluster(ClusterClient)
    }

    private let route: Route
    private let eventLoop: any EventLoop

    /// - Parameters:
    ///   - eventLoop: The loop that the client is bound to.
    ///   - settings: How Redis is reached.
    ///   - onStateChange: Called on the loop whenever ``isUp`` changes, and first with the outcome of the first attempt;
    ///     with the reason if it is down, or if a part of a cluster is. The reason is for operators and has no secrets.
    ///     Not called any more after ``stop()``.
    public init(
        eventLoop: any EventLoop, settings: RedisSettings, onStateChange: @escaping (Bool, String?) -> Void
    ) {
        self.eventLoop = eventLoop
        let locator: RedisLink.Locator
        switch settings.topology {
        case .cluster(let seeds):
            self.route = .cluster(
                ClusterClient(eventLoop: eventLoop, settings: settings, seeds: seeds, onChange: onStateChange))
            return
        case .single(let address): locator = .addresses([address])
        case .sentinel(let sentinels, let master): locator = .sentinel(sentinels, master: master)
        }
        let reason = LinkReason()
        let link = RedisLink(
            eventLoop: eventLoop, settings: settings, locator: locator, times: .commands(timeout: settings.timeout)
        ) { onStateChange($0 != nil, reason.link?.reason) }
        reason.link = link
        self.route = .link(link)
    }

    /// Begins to connect.
    public func start() {
        self.eventLoop.preconditionInEventLoop()
        switch self.route {
        case .link(let link): link.start()
        case .cluster(let cluster): cluster.start()
        }
    }

    /// Closes everything; what waits fails with ``RedisFailure/closed``. It cannot be started again.
    public func stop() {
        self.eventLoop.preconditionInEventLoop()
        switch self.route {
        case .link(let link): link.stop()
        case .cluster(let cluster): cluster.stop()
        }
    }

    /// Whether commands can be sent. Of a cluster: at least one master can be used.
    public var isUp: Bool {
        switch self.route {
        case .link(let link): link.connection != nil
        case .cluster(let cluster): cluster.isUp
        }
    }

    /// Why it is down, or a part of a cluster is: what the latest attempt met with.
    public var reason: String? {
        switch self.route {
        case .link(let link): link.reason
        case .cluster(let cluster): cluster.reason
        }
    }

    /// Sends a command. Those of one turn of the loop leave in one write.
    ///
    /// - Parameters:
    ///   - command: The name and the arguments: at least the name.
    ///   - key: The key that the command is about, which decides the node in a cluster; nil for a command that any
    ///     node can carry out.
    ///   - then: Called once, on the loop: at once, before this returns, with ``RedisFailure/unavailable`` if nothing
    ///     can be sent; else with the reply (which may be an error of Redis) or with why there is none. In a cluster a
    ///     command that is redirected takes up to twice the timeout.
    public func send(
        _ command: [[UInt8]], key: [UInt8]?, then: @escaping (Result<RedisReply, RedisFailure>) -> Void
    ) {
        switch self.route {
        case .link(let link): link.send(command, then: then)
        case .cluster(let cluster): cluster.send(command, key: key, then: then)
        }
    }
}

/// Lets a link's callback, made before the link, read its reason.
private final class LinkReason {
    weak var link: RedisLink?
}
