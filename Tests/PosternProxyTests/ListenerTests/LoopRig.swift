import NIOCore
import NIOPosix
import PosternCore

@testable import PosternProxy

/// Event loops with what belongs to them, as the runtime makes them, without listeners.
final class LoopRig: Sendable {
    let services: ProxyServices
    let loops: [NIOLoopBound<LoopContext>]
    /// What the event loops began with.
    let snapshot: Snapshot
    private let group: MultiThreadedEventLoopGroup
    private let isShared: Bool

    /// What a rig does that nobody says more about.
    static let plain = "version: 1\nupstream: http://127.0.0.1:1\nroutes: {GET /: public}\nlog: {access: off}\n"

    /// - Parameters:
    ///   - shared: event loops that are there already, and stay when the rig stops.
    init(
        loops count: Int = 1, connections: Int = 100, policy: String = LoopRig.plain, log: OwnLog? = nil,
        shared: MultiThreadedEventLoopGroup? = nil
    ) async throws {
        let group = shared ?? MultiThreadedEventLoopGroup(numberOfThreads: count)
        let snapshot = try Snapshots.make(policy, loops: count)
        let services = try Self.services(group, connections: connections, log: log ?? OwnLog())
        services.introspection.adopt(snapshot)
        var loops: [NIOLoopBound<LoopContext>] = []
        for (index, eventLoop) in group.makeIterator().prefix(count).enumerated() {
            loops.append(
                try await eventLoop.submit {
                    NIOLoopBound(
                        LoopContext(eventLoop: eventLoop, services: services, snapshot: snapshot, index: index),
                        eventLoop: eventLoop)
                }.get())
        }
        services.loops.set(loops)
        for loop in loops { try await loop.eventLoop.submit { loop.value.adoptRedis(snapshot) }.get() }
        self.group = group
        self.isShared = shared != nil
        self.services = services
        self.loops = loops
        self.snapshot = snapshot
    }

    static func services(
        _ group: any EventLoopGroup, connections: Int, log: OwnLog
    ) throws -> ProxyServices {
        let loops = LoopList()
        return ProxyServices(
            sink: log.sink, keys: KeyService(group: group, logger: log.logger) { _ in },
            introspection: IntrospectionService(group: group, loops: loops, logger: log.logger),
            tracing: TracingService(group: group, logger: log.logger), labels: RouteLabels(), loops: loops,
            logger: log.logger, connectionLimit: connections)
    }

    /// Does something on one of the event loops.
    func on<Value: Sendable>(
        _ index: Int, _ body: @escaping @Sendable (LoopContext) throws -> Value
    ) async throws -> Value {
        let loop = self.loops[index]
        return try await loop.eventLoop.submit { try body(loop.value) }.get()
    }

    /// Ends the loops, and with them every channel.
    func stop() async throws {
        for loop in self.loops { try await loop.eventLoop.submit { loop.value.closeAll() }.get() }
        self.services.introspection.stop()
        if !self.isShared { try await self.group.shutdownGracefully() }
    }
}
