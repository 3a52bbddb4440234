import NIOCore

/// Keeps one connection to a Redis: makes it, makes it anew when it is lost, and meanwhile refuses at once.
///
/// That is the circuit: a Redis that does not answer costs those who wait on it one timeout, and nobody after them; it
/// is asked again in the background, with growing pauses.
final class RedisLink {
    /// Which Redis it is to be.
    enum Locator {
        /// Any of these; after a failure the next.
        case addresses([RedisAddress])
        /// The master that one of these sentinels names.
        case sentinel([RedisAddress], master: String)
    }

    private enum State {
        /// Not started. Goes on to connecting or stopped.
        case idle
        /// An attempt is under way. Goes on to up, pausing or stopped.
        case connecting
        /// Commands can be sent. Goes on to pausing or stopped.
        case up(RedisConnection, since: NIODeadline)
        /// Until the next attempt. Goes on to connecting or stopped.
        case pausing(Scheduled<Void>)
        /// Nothing happens any more.
        case stopped
    }

    private let eventLoop: any EventLoop
    private let settings: RedisSettings
    private let locator: Locator
    private let times: RedisTimes
    private let onChange: (RedisConnection?) -> Void
    private var state = State.idle
    private var backoff = Backoff()
    private var turn = 0
    private var look: Scheduled<Void>?
    /// What was said last: nil before the first attempt has ended.
    private var reported: Bool?
    /// Why there is no connection.
    private(set) var reason: String?

    /// How often sentinels are asked whether the master is still the one.
    private static let lookPause = TimeAmount.seconds(1)

    /// - Parameter onChange: Called when a connection is there (with it), and when it is lost or cannot be made for the
    ///   first time (with nil; ``reason`` says why). Not called any more once stopped.
    init(
        eventLoop: any EventLoop, settings: RedisSettings, locator: Locator, times: RedisTimes,
        onChange: @escaping (RedisConnection?) -> Void
    ) {
        self.eventLoop = eventLoop
        self.settings = settings
        self.locator = locator
        self.times = times
        self.onChange = onChange
    }

    /// The connection, if it is in use.
    var connection: RedisConnection? {
        if case .up(let connection, _) = self.state { connection } else { nil }
    }

    /// Whether the first attempt is still under way.
    var isSettled: Bool { self.reported != nil }

    func start() {
        guard case .idle = self.state else { return }
        self.connect()
    }

    func stop() {
        let state = self.state
        self.state = .stopped
        self.look?.cancel()
        switch state {
        case .up(let connection, _): connection.close()
        case .pausing(let pause): pause.cancel()
        case .idle, .connecting, .stopped: break
        }
    }

    /// Sends a command, or calls back at once with ``RedisFailure/unavailable``.
    func send(_ command: [[UInt8]], then: @escaping RedisConnection.Callback) {
        guard case .up(let connection, _) = self.state else { return then(.failure(.unavailable)) }
        guard case .sentinel = self.locator else { return connection.send(command, then: then) }
        connection.send(command) { result in
            // The master became a replica before the sentinels could close its connections.
            if case .success(.error(let text)) = result, RedisReply.code(ofError: text) == "READONLY" {
                connection.giveUp(reason: "it is no master any more")
                return then(.failure(.unavailable))
            }
            then(result)
        }
    }

    // MARK: - Attempts

    private func connect() {
        self.state = .connecting
        switch self.locator {
        case .addresses(let addresses):
            self.open(addresses[self.turn % addresses.count], mustBeMaster: false)
        case .sentinel(let sentinels, let master):
            self.ask(sentinels, master) { result in
                switch result {
                case .success(let address): self.open(address, mustBeMaster: true)
                case .failure(let trouble): self.lost(trouble)
                }
            }
        }
    }

    private func ask(
        _ sentinels: [RedisAddress], _ master: String,
        then: @escaping (Result<RedisAddress, RedisTrouble>) -> Void
    ) {
        let query = SentinelQuery(
            sentinels: sentinels, master: master, from: self.turn, eventLoop: self.eventLoop, times: self.times,
            tls: self.settings.tls)
        query.run(then: then)
    }

    private func open(_ address: RedisAddress, mustBeMaster: Bool) {
        guard case .connecting = self.state else { return }
        RedisConnector.open(
            address, on: self.eventLoop, times: self.times, tls: self.settings.tls,
            greeting: RedisGreeting(self.settings, mustBeMaster: mustBeMaster)
        ) { result in
            switch result {
            case .success(let connection): self.opened(connection)
            case .failure(let trouble): self.lost(trouble)
            }
        }
    }

    private func opened(_ connection: RedisConnection) {
        guard case .connecting = self.state else { return connection.close() }
        connection.onEnd = { [weak self] trouble in self?.lost(trouble) }
        self.state = .up(connection, since: self.eventLoop.now)
        self.reason = nil
        self.reported = true
        self.lookAgain(connection)
        self.onChange(connection)
    }

    /// A master that was replaced while it can be reached goes on as one for some seconds: what is written there is
    /// lost, and what is published elsewhere does not come. So the sentinels are asked again and again.
    private func lookAgain(_ connection: RedisConnection) {
        guard case .sentinel(let sentinels, let master) = self.locator else { return }
        self.look = self.eventLoop.assumeIsolated().scheduleTask(in: Self.lookPause) { [weak self] in
            self?.ask(sentinels, master) { [weak self] result in
                guard let self, self.connection === connection else { return }
                // Sentinels that do not answer are no reason to leave a master that does.
                if case .success(let address) = result, address != connection.address {
                    return connection.giveUp(reason: "the master is \(address) now")
                }
                self.lookAgain(connection)
            }
        }
    }

    private func lost(_ trouble: RedisTrouble) {
        if case .stopped = self.state { return }
        // One that breaks at once is no better than one that cannot be made.
        if case .up(_, let since) = self.state, self.eventLoop.now - since >= Backoff.limit { self.backoff.reset() }
        self.look?.cancel()
        self.turn &+= 1
        self.reason = trouble.reason
        let pause = self.backoff.next(random: .random(in: 0..<1))
        self.state = .pausing(
            self.eventLoop.assumeIsolated().scheduleTask(in: pause) { [weak self] in self?.connect() })
        guard self.reported != false else { return }
        self.reported = false
        self.onChange(nil)
    }
}
