import NIOCore
import NIOPosix
import PosternCore

/// Opens connections to one upstream, on one event loop: TCP or a Unix socket, and of a name that stands for several
/// addresses the next one that answers (RFC 8305), all of it within one time.
///
/// A name is looked up anew for nearly every connection, so that a service that moves is followed. While name servers do
/// not answer, the addresses that were found last have to do.
final class UpstreamDial {
    private enum Place {
        case socket(path: String)
        case address(SocketAddress)
        case name(NameDirectory.Name)
    }

    /// Called when the name does not stand for an address any more that it stood for before.
    var addressesVanished: () -> Void = {}
    /// Whether somebody looks after the name while there are connections.
    var isFollowed = false
    private let place: Place
    private let eventLoop: any EventLoop
    private let names: NameDirectory
    private var book: AddressBook<SocketAddress>

    /// Connections that are opened within this time share a look-up, in nanoseconds.
    private static let shareTime: Int64 = 1_000_000_000

    /// - Parameter turn: which of several addresses comes first: any number.
    init(_ address: Address, eventLoop: any EventLoop, names: NameDirectory, turn: UInt = .random(in: 0...UInt.max)) {
        switch address {
        case .unix(let path): self.place = .socket(path: path)
        case .host(let host, let port):
            let literal = try? SocketAddress(ipAddress: host, port: port)
            self.place = literal.map { .address($0) } ?? .name(NameDirectory.Name(host: host, port: port))
        }
        self.eventLoop = eventLoop
        self.names = names
        self.book = AddressBook(turn: turn)
    }

    // MARK: - Connecting

    /// Opens one more connection.
    ///
    /// - Parameters:
    ///   - timeout: nanoseconds for everything, the name's look-up included.
    ///   - initializer: prepares every channel that is tried; one of them is the one that is had, the others close.
    func connect(
        timeout: Int64, _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: self.eventLoop).connectTimeout(.nanoseconds(timeout))
            .channelInitializer(initializer)
        switch self.place {
        case .socket(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        case .address(let address):
            return bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(to: address)
        case .name(let name):
            return self.connect(name, bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1), timeout)
        }
    }

    private func connect(
        _ name: NameDirectory.Name, _ bootstrap: ClientBootstrap, _ timeout: Int64
    ) -> EventLoopFuture<any Channel> {
        let order = AddressOrder(self.eventLoop)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.look(up: name, maxAge: Self.shareTime) { dial, error in dial.answer(order, error) }
        if !self.book.isEmpty {
            // Long before the time is over there is an attempt at what was right a moment ago.
            self.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(timeout / 4)) {
                bound.value.answer(order, nil)
            }
        }
        let future = bootstrap.resolver(order).connect(host: name.host, port: name.port)
        future.whenComplete { bound.value.ended(name, order, (try? $0.get())?.remoteAddress) }
        return future
    }

    /// Says in which order addresses are tried, unless that was said before.
    private func answer(_ order: AddressOrder, _ error: (any Error)?) {
        if let error, self.book.isEmpty {
            order.fail(error)
        } else if !order.isSaid {
            order.succeed(self.book.order(now: SystemClock.monotonic))
        }
    }

    private func ended(_ name: NameDirectory.Name, _ order: AddressOrder, _ connected: SocketAddress?) {
        let tried = order.addresses
        // A name without an address that can be had is looked up anew as it is.
        guard let first = tried.first, first != connected else { return }
        self.book.tried(tried, connected: connected, now: SystemClock.monotonic)
        self.names.distrust(name)
    }

    // MARK: - Names

    /// Whether a connection to `address` is one that would be opened today, as far as is known.
    func stillMeans(_ address: SocketAddress?) -> Bool {
        guard case .name = self.place, !self.book.isEmpty, let address else { return true }
        return self.book.contains(address)
    }

    /// Whether there is a name that may come to stand for other addresses.
    var mayMove: Bool {
        if case .name = self.place { true } else { false }
    }

    /// Looks the name up if that was not done within `maxAge` nanoseconds.
    func refresh(maxAge: Int64) {
        guard case .name(let name) = self.place else { return }
        self.look(up: name, maxAge: maxAge) { _, _ in }
    }

    /// Calls `then` when the book is as young as that, or cannot be made so: with the reason, then.
    private func look(
        up name: NameDirectory.Name, maxAge: Int64, _ then: @escaping @Sendable (UpstreamDial, (any Error)?) -> Void
    ) {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let eventLoop = self.eventLoop
        let known = self.names.addresses(of: name, maxAge: maxAge, now: SystemClock.monotonic) { result in
            eventLoop.execute {
                switch result {
                case .success(let addresses):
                    bound.value.adopt(addresses)
                    then(bound.value, nil)
                case .failure(let error):
                    then(bound.value, error)
                }
            }
        }
        guard let known else { return }
        self.adopt(known)
        then(self, nil)
    }

    private func adopt(_ addresses: [SocketAddress]) {
        if self.book.resolved(addresses) { self.addressesVanished() }
    }
}
