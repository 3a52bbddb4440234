import Logging
import NIOCore
import NIOPosix
import PosternCore

@testable import PosternProxy

/// Event loops with what belongs to them, as the runtime makes them, without listeners.
final class LoopRig: Sendable {
    let services: ProxyServices
    let loops: [NIOLoopBound<LoopContext>]
    private let group: MultiThreadedEventLoopGroup

    init(loops count: Int = 1, connections: Int = 100) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        let snapshot = try Snapshots.make(
            "version: 1\nupstream: http://127.0.0.1:1\nroutes: {GET /: public}\nlog: {access: off}\n", loops: count)
        let services = try Self.services(group, connections: connections)
        var loops: [NIOLoopBound<LoopContext>] = []
        for eventLoop in group.makeIterator() {
            loops.append(
                try await eventLoop.submit {
                    NIOLoopBound(
                        LoopContext(eventLoop: eventLoop, services: services, snapshot: snapshot), eventLoop: eventLoop)
                }.get())
        }
        self.group = group
        self.services = services
        self.loops = loops
    }

    static func services(_ group: any EventLoopGroup, connections: Int) throws -> ProxyServices {
        let sink = LogSink(descriptor: try LogPipe().writeEnd)
        let logger = Logger(label: "test") { _ in JSONLogHandler(sink: sink, threshold: JSONLogHandler.Threshold()) }
        let loops = LoopList()
        return ProxyServices(
            sink: sink, keys: KeyService(group: group, logger: logger) { _ in },
            introspection: IntrospectionService(group: group, loops: loops, logger: logger), labels: RouteLabels(),
            loops: loops, logger: logger, connectionLimit: connections)
    }

    /// Ends the loops, and with them every channel.
    func stop() async throws {
        for loop in self.loops { try await loop.eventLoop.submit { loop.value.closeAll() }.get() }
        try await self.group.shutdownGracefully()
    }
}
