import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import PosternRedis

@Suite(.timeLimit(.minutes(1))) struct RedisClusterTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// Two masters; "bar" (slot 5061) is on the first and "foo" (slot 12182) on the second, unless `slots` says else.
    private final class Cluster: Sendable {
        let nodes: Mutex<[FakeRedis]> = Mutex([])
        /// Who has slots from 8,192 up.
        let upper = Mutex(1)

        var slots: FakeRedis.Answer {
            let nodes = self.nodes.withLock { $0 }
            let upper = nodes[self.upper.withLock { $0 }].address.port
            // The first knows no address of its own: it is where it was asked.
            return .say(
                "*2\r\n*3\r\n:0\r\n:8191\r\n*2\r\n$-1\r\n:\(nodes[0].address.port)\r\n"
                    + "*3\r\n:8192\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:\(upper)\r\n")
        }

        var addresses: [RedisAddress] { self.nodes.withLock { $0.map(\.address) } }

        func stop() async throws {
            for node in self.nodes.withLock({ $0 }) { try await node.stop() }
        }
    }

    /// - Parameter script: What node 0 or 1 says; nil for the ordinary.
    private func cluster(
        _ script: @escaping @Sendable (_ node: Int, _ command: [String], _ cluster: Cluster) -> FakeRedis.Answer?
    ) async throws -> Cluster {
        let cluster = Cluster()
        for index in 0..<2 {
            let node = try await FakeRedis.start(on: self.loop) { [unowned cluster] command, _ in
                if let answer = script(index, command, cluster) { return answer }
                return command.first == "CLUSTER" ? cluster.slots : ordinary(command)
            }
            cluster.nodes.withLock { $0.append(node) }
        }
        return cluster
    }

    private func client(_ cluster: Cluster, timeout: TimeAmount = .seconds(10)) async throws -> LiveClient {
        let client = try await LiveClient.start(
            RedisSettings(topology: .cluster([cluster.addresses[0]]), timeout: timeout))
        #expect(await client.change() == .init(isUp: true, reason: nil))
        return client
    }

    /// What a node was told about keys.
    private func commands(_ cluster: Cluster, _ node: Int) async throws -> [String] {
        try await cluster.nodes.withLock { $0[node] }.commands().filter { $0 != "PING" && $0 != "CLUSTER SLOTS" }
    }

    @Test func keysGoToTheirMasters() async throws {
        let cluster = try await self.cluster { _, _, _ in nil }
        let client = try await self.client(cluster)
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.success(.status("OK"))])
        #expect(try await client.send(["GET", "bar"], key: "bar") == [.success(.status("OK"))])
        #expect(try await client.send(["PUBLISH", "c", "m"]) == [.success(.status("OK"))])
        #expect(try await self.commands(cluster, 0) == ["GET bar", "PUBLISH c m"])
        #expect(try await self.commands(cluster, 1) == ["GET foo"])
        try await client.stop()
        try await cluster.stop()
    }

    @Test func aMovedKeyIsFollowedAndTheMapLookedAtAgain() async throws {
        let cluster = try await self.cluster { node, command, cluster in
            guard node == 1, command.first == "GET" else { return nil }
            cluster.upper.withLock { $0 = 0 }
            return .say("-MOVED 12182 127.0.0.1:\(cluster.addresses[0].port)\r\n")
        }
        let client = try await self.client(cluster)
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.success(.status("OK"))])
        #expect(try await self.commands(cluster, 0) == ["GET foo"])
        // The second look at the map, after which the key's new master is known.
        let first = cluster.nodes.withLock { $0[0] }
        while try await first.commands().filter({ $0 == "CLUSTER SLOTS" }).count < 2 { await Task.yield() }
        while try await client.send(["SET", "foo"], key: "foo") != [.success(.status("OK"))] {}
        #expect(try await self.commands(cluster, 0).last == "SET foo")
        try await client.stop()
        try await cluster.stop()
    }

    @Test func aKeyThatIsMovingIsAskedFor() async throws {
        let cluster = try await self.cluster { node, command, cluster in
            guard node == 1, command.first == "GET" else { return nil }
            return .say("-ASK 12182 127.0.0.1:\(cluster.addresses[0].port)\r\n")
        }
        let client = try await self.client(cluster)
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.success(.status("OK"))])
        #expect(try await self.commands(cluster, 0) == ["ASKING", "GET foo"])
        try await client.stop()
        try await cluster.stop()
    }

    @Test(arguments: ["TRYAGAIN Multiple keys", "CLUSTERDOWN Hash slot not served", "LOADING Redis is loading"])
    func aClusterThatIsBusyIsUnavailable(error: String) async throws {
        let cluster = try await self.cluster { _, command, _ in command.first == "GET" ? .say("-\(error)\r\n") : nil }
        let client = try await self.client(cluster)
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.failure(.unavailable)])
        #expect(try await client.onLoop { $0.isUp })
        try await client.stop()
        try await cluster.stop()
    }

    @Test func oneRedirectionIsEnough() async throws {
        let cluster = try await self.cluster { node, command, cluster in
            guard command.first == "GET" else { return nil }
            return .say("-MOVED 12182 127.0.0.1:\(cluster.addresses[1 - node].port)\r\n")
        }
        let client = try await self.client(cluster)
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.failure(.unavailable)])
        #expect(try await self.commands(cluster, 0) == ["GET foo"])
        #expect(try await self.commands(cluster, 1) == ["GET foo"])
        try await client.stop()
        try await cluster.stop()
    }

    @Test func anotherErrorIsTheReply() async throws {
        let cluster = try await self.cluster { _, command, _ in command.first == "GET" ? .say("-WRONGTYPE no\r\n") : nil
        }
        let client = try await self.client(cluster)
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.success(.error("WRONGTYPE no"))])
        try await client.stop()
        try await cluster.stop()
    }

    @Test func aMasterThatIsGoneTakesOnlyItsKeysAlong() async throws {
        let cluster = try await self.cluster { node, command, _ in
            node == 1 && command.first == "GET" ? .silence : nil
        }
        let client = try await self.client(cluster, timeout: .seconds(1))
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.failure(.timedOut)])
        #expect(try await client.send(["GET", "foo"], key: "foo") == [.failure(.unavailable)])
        #expect(try await client.send(["GET", "bar"], key: "bar") == [.success(.status("OK"))])
        let second = cluster.addresses[1]
        #expect(
            try await client.onLoop { $0.reason } == "1 of 2 masters cannot be reached: \(second): no answer in time")
        try await client.stop()
        #expect(await client.restOfChanges() == [])
        try await cluster.stop()
    }

    @Test func seedsAreAskedInTurn() async throws {
        let cluster = try await self.cluster { _, _, _ in nil }
        let closed = try await FakeRedis.start(on: self.loop) { _, _ in .silence }
        try await closed.stop()
        let alone = try await FakeRedis.start(on: self.loop) { command, _ in
            command.first == "CLUSTER" ? .say("-ERR This instance has cluster support disabled\r\n") : ordinary(command)
        }
        let client = try await LiveClient.start(
            RedisSettings(
                topology: .cluster([closed.address, alone.address, cluster.addresses[1]]), timeout: .seconds(10)))
        #expect(await client.change() == .init(isUp: true, reason: nil))
        try await client.stop()
        try await alone.stop()
        try await cluster.stop()
    }

    @Test func withoutAMapItIsDown() async throws {
        let alone = try await FakeRedis.start(on: self.loop) { command, _ in
            command.first == "CLUSTER" ? .say("-ERR This instance has cluster support disabled\r\n") : ordinary(command)
        }
        let client = try await LiveClient.start(
            RedisSettings(topology: .cluster([alone.address]), timeout: .seconds(10)))
        #expect(
            await client.change() == .init(isUp: false, reason: "\(alone.address): CLUSTER SLOTS was refused: ERR"))
        #expect(try await client.send(["GET", "a"], key: "a") == [.failure(.unavailable)])
        try await client.stop()
        try await alone.stop()
    }
}
