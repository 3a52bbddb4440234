import NIOCore

/// A Redis Cluster: one link to each master, commands sent by their key's slot.
final class ClusterClient {
    private let eventLoop: any EventLoop
    private let settings: RedisSettings
    private let times: RedisTimes
    private let seeds: [RedisAddress]
    private let onChange: (Bool, String?) -> Void
    private var map: ClusterMap?
    private var links: [RedisAddress: RedisLink] = [:]
    private var isStopped = false

    private(set) var isUp = false
    /// What is wrong, even if some of the cluster can be used.
    private(set) var reason: String?
    private var hasReported = false

    /// Whom to ask for the map when no link is up, counted round.
    private var turn = 0
    private var isRefreshing = false
    private var refresh: Scheduled<Void>?
    private var refreshAt = NIODeadline.distantFuture
    private var lastRefresh: NIODeadline?

    /// The shortest time between two looks at the map, whatever the nodes say.
    private static let refreshPause = TimeAmount.milliseconds(100)
    /// How often the map is looked at while a master of it cannot be reached.
    private static let repairPause = TimeAmount.milliseconds(500)

    /// - Parameter onChange: Called when ``isUp`` changes, and first with the outcome of the first attempt.
    init(
        eventLoop: any EventLoop, settings: RedisSettings, seeds: [RedisAddress],
        onChange: @escaping (Bool, String?) -> Void
    ) {
        self.eventLoop = eventLoop
        self.settings = settings
        self.times = .commands(timeout: settings.timeout)
        self.seeds = seeds
        self.onChange = onChange
    }

    func start() {
        self.scheduleRefresh(in: .zero)
    }

    func stop() {
        self.isStopped = true
        self.isUp = false
        self.refresh?.cancel()
        for link in self.links.values { link.stop() }
        self.links = [:]
    }

    // MARK: - Commands

    /// Sends a command to the master of the key's slot; one without a key to any master.
    func send(_ command: [[UInt8]], key: [UInt8]?, then: @escaping RedisConnection.Callback) {
        guard let map else { return then(.failure(.unavailable)) }
        let address: RedisAddress?
        if let key {
            address = map.master(of: HashSlot.of(key))
        } else {
            address = map.masters.first { self.links[$0]?.connection != nil }
        }
        guard let address, let link = self.links[address] else { return then(.failure(.unavailable)) }
        link.send(command) { [weak self] result in
            guard case .success(.error(let text)) = result, let self else { return then(result) }
            self.refused(command, text, by: address, then)
        }
    }

    private func refused(
        _ command: [[UInt8]], _ text: String, by node: RedisAddress, _ then: @escaping RedisConnection.Callback
    ) {
        guard let redirection = Redirection(error: text, host: node.host) else {
            return self.conclude(.success(.error(text)), then)
        }
        switch redirection.kind {
        case .moved:
            self.scheduleRefresh(in: .zero)
            self.link(to: redirection.address)?.send(command) { [weak self] in self?.conclude($0, then) ?? then($0) }
                ?? then(.failure(.unavailable))
        case .ask:
            guard let link = self.link(to: redirection.address) else { return then(.failure(.unavailable)) }
            // Both leave in one write, in this order; the second answer tells whatever the first would have.
            link.send([Array("ASKING".utf8)]) { _ in }
            link.send(command) { [weak self] in self?.conclude($0, then) ?? then($0) }
        }
    }

    /// What a caller cannot do anything about is no reply to its command: a cluster that is being repaired, and a second
    /// redirection.
    private func conclude(_ result: Result<RedisReply, RedisFailure>, _ then: RedisConnection.Callback) {
        guard case .success(.error(let text)) = result else { return then(result) }
        switch RedisReply.code(ofError: text) {
        case "MOVED", "CLUSTERDOWN", "MASTERDOWN", "READONLY":
            self.scheduleRefresh(in: .zero)
            then(.failure(.unavailable))
        case "ASK", "TRYAGAIN", "LOADING":
            then(.failure(.unavailable))
        default:
            then(result)
        }
    }

    // MARK: - Links

    private func link(to address: RedisAddress) -> RedisLink? {
        if self.isStopped { return nil }
        if let link = self.links[address] { return link }
        // Not more than the cluster has, and a few that the map does not know yet.
        guard self.links.count < (self.map?.masters.count ?? 0) + 16 else { return nil }
        let link = RedisLink(
            eventLoop: self.eventLoop, settings: self.settings, locator: .addresses([address]), times: self.times
        ) { [weak self] connection in
            guard let self else { return }
            if connection == nil { self.scheduleRefresh(in: .zero) }
            self.report()
        }
        self.links[address] = link
        link.start()
        return link
    }

    private func adopt(_ map: ClusterMap) {
        self.map = map
        let masters = Set(map.masters)
        let gone = self.links.filter { !masters.contains($0.key) }
        for address in gone.keys { self.links[address] = nil }
        for link in gone.values { link.stop() }
        for address in map.masters { _ = self.link(to: address) }
        self.report()
    }

    /// Up: the map is known and at least one master can be used. At first all of them are waited for, so that a cluster
    /// does not begin with refusing most keys.
    private func report() {
        guard let map, !self.isStopped else { return }
        let links = map.masters.map { self.links[$0] }
        let down = zip(map.masters, links).filter { $1?.connection == nil }
        let settled = links.allSatisfy { $0?.isSettled ?? false }
        let isUp = down.count < links.count && (self.isUp || settled)
        self.reason = down.first.map { address, link in
            "\(down.count) of \(links.count) masters cannot be reached: \(link?.reason ?? "\(address)")"
        }
        guard isUp || settled else { return }
        self.say(isUp)
    }

    private func say(_ isUp: Bool) {
        if self.hasReported, isUp == self.isUp { return }
        self.hasReported = true
        self.isUp = isUp
        self.onChange(isUp, self.reason)
    }

    // MARK: - Map

    /// Has the map looked at after `pause`, or later if that would be too often.
    private func scheduleRefresh(in pause: TimeAmount) {
        if self.isStopped || self.isRefreshing { return }
        let now = self.eventLoop.now
        let at = max(now + pause, self.lastRefresh.map { $0 + Self.refreshPause } ?? now)
        if self.refresh != nil, self.refreshAt <= at { return }
        self.refresh?.cancel()
        self.refreshAt = at
        self.refresh = self.eventLoop.assumeIsolated().scheduleTask(deadline: at) { [weak self] in self?.ask() }
    }

    private func ask() {
        self.refresh = nil
        self.isRefreshing = true
        self.lastRefresh = self.eventLoop.now
        let command = [Array("CLUSTER".utf8), Array("SLOTS".utf8)]
        let nodes = self.seeds + (self.map?.nodes ?? [])
        let address = nodes[self.turn % nodes.count]
        self.turn &+= 1
        // A different node each time: one that is cut off from the others may go on telling an old map.
        if let connection = self.links[address]?.connection {
            return connection.send(command) { [weak self] result in
                self?.answered(result.mapError { RedisTrouble(failure: $0, reason: "\(address): no map") }, address)
            }
        }
        RedisConnector.ask(
            address, command, on: self.eventLoop, times: self.times, tls: self.settings.tls,
            greeting: RedisGreeting(self.settings, mustBeMaster: false)
        ) { [weak self] result in self?.answered(result, address) }
    }

    private func answered(_ result: Result<RedisReply, RedisTrouble>, _ address: RedisAddress) {
        self.isRefreshing = false
        if self.isStopped { return }
        switch result {
        case .success(let reply):
            if let map = ClusterMap(slots: reply, host: address.host) {
                self.adopt(map)
            } else {
                self.failed("\(address): \(Self.problem(with: reply))")
            }
        case .failure(let trouble):
            self.failed(trouble.reason)
        }
        let isWhole = self.map?.masters.allSatisfy { self.links[$0]?.connection != nil } ?? false
        if !isWhole { self.scheduleRefresh(in: Self.repairPause) }
    }

    private func failed(_ reason: String) {
        guard self.map == nil else { return }
        self.reason = reason
        // One round over all seeds, then there is none.
        if self.turn >= self.seeds.count { self.say(false) }
    }

    private static func problem(with reply: RedisReply) -> String {
        guard case .error(let text) = reply else { return "it names no master" }
        return "CLUSTER SLOTS was refused: \(RedisReply.code(ofError: text))"
    }
}
