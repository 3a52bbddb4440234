import NIOCore
import NIOPosix

/// Gives one connection attempt the addresses to try, in an order of our own: all of them as the answer to the first of
/// the two questions that NIO asks, so that it does not sort them by their family.
final class AddressOrder: Resolver, Sendable {
    private let promise: EventLoopPromise<[SocketAddress]>
    private let said: NIOLoopBoundBox<[SocketAddress]?>

    init(_ eventLoop: any EventLoop) {
        self.promise = eventLoop.makePromise()
        self.said = NIOLoopBoundBox(nil, eventLoop: eventLoop)
    }

    /// Whether the attempt knows what to try, or that there is nothing.
    var isSaid: Bool { self.said.value != nil }

    /// What was to be tried; empty if that was never known.
    var addresses: [SocketAddress] { self.said.value ?? [] }

    func succeed(_ addresses: [SocketAddress]) {
        guard !self.isSaid else { return }
        self.said.value = addresses
        self.promise.succeed(addresses)
    }

    func fail(_ error: any Error) {
        guard !self.isSaid else { return }
        self.said.value = []
        self.promise.fail(error)
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.promise.futureResult
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        self.promise.futureResult.map { _ in [] }
    }

    func cancelQueries() {}
}
