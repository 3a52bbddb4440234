import NIOPosix
import Testing

@testable import PosternProxy

@Suite struct ProxyServicesTests {
    private static func services(limit: Int) throws -> ProxyServices {
        try LoopRig.services(MultiThreadedEventLoopGroup.singleton, connections: limit, log: OwnLog())
    }

    @Test(arguments: [0, 1, 3])
    func asManyConnectionsAsTheLimitAreTaken(limit: Int) throws {
        let services = try Self.services(limit: limit)
        let taken = (0..<5).map { _ in services.connectionOpened() }
        #expect(taken == (0..<5).map { $0 < limit })
        #expect(services.openConnections == limit)
        #expect(services.refusedConnections == UInt64(5 - limit))
    }

    @Test func connectionThatClosesMakesRoomForOne() throws {
        let services = try Self.services(limit: 2)
        #expect(services.connectionOpened() && services.connectionOpened() && !services.connectionOpened())
        services.connectionClosed()
        #expect(services.openConnections == 1)
        #expect(services.connectionOpened())
        #expect(!services.connectionOpened())
        #expect(services.refusedConnections == 2)
    }

    @Test func limitThatIsRaisedOrLoweredCountsForTheNext() throws {
        let services = try Self.services(limit: 1)
        #expect(services.connectionOpened() && !services.connectionOpened())
        services.setConnectionLimit(2)
        #expect(services.connectionOpened())
        services.setConnectionLimit(1)
        services.connectionClosed()
        #expect(!services.connectionOpened(), "those that are open stay, and still count")
        #expect(services.openConnections == 1)
    }

    @Test func noMoreThanTheLimitAreTakenWhoeverComes() async throws {
        let services = try Self.services(limit: 1000)
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { (0..<500).count { _ in services.connectionOpened() } } }
            return await group.reduce(0, +)
        }
        #expect(taken == 1000)
        #expect(services.openConnections == 1000)
        #expect(services.refusedConnections == 3000)
    }
}
