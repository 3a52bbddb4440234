import Dispatch
import NIOCore
import NIOPosix
import PosternCore
import Synchronization
import Testing

@testable import PosternProxy

/// Connections to a name, against services at several addresses of this host and a name server that says what a test wants.
@Suite struct UpstreamDialTests {
    /// What a name stands for.
    private final class Zone: Sendable {
        let answer = Mutex<Result<[SocketAddress], SystemNames.Failure>>(.success([]))
        let lookUps = Atomic<Int>(0)

        func set(_ hosts: String..., port: Int) throws {
            let addresses = try hosts.map { try SocketAddress(ipAddress: $0, port: port) }
            self.answer.withLock { $0 = .success(addresses) }
        }

        func fail() { self.answer.withLock { $0 = .failure(.init(description: "no such name")) } }

        var directory: NameDirectory {
            NameDirectory { _ in
                self.lookUps.add(1, ordering: .relaxed)
                return try self.answer.withLock { try $0.get() }
            }
        }
    }

    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
    }

    /// A dial on its event loop.
    private struct Phone: Sendable {
        let dial: NIOLoopBound<UpstreamDial>

        init(_ address: Address, _ directory: NameDirectory) async throws {
            let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
            self.dial = try await eventLoop.submit {
                NIOLoopBound(
                    UpstreamDial(address, eventLoop: eventLoop, names: directory, turn: 0), eventLoop: eventLoop)
            }.get()
        }

        /// Connects, and says where to.
        func call(milliseconds: Int64 = 5_000) async throws -> String? {
            let dial = self.dial
            let channel = try await dial.eventLoop.flatSubmit {
                dial.value.connect(timeout: milliseconds * 1_000_000) { $0.eventLoop.makeSucceededVoidFuture() }
            }.get()
            let address = channel.remoteAddress?.ipAddress
            try? await channel.close()
            return address
        }

        func on<Value: Sendable>(_ body: @escaping @Sendable (UpstreamDial) -> Value) async throws -> Value {
            let dial = self.dial
            return try await dial.eventLoop.submit { body(dial.value) }.get()
        }
    }

    /// Services at these addresses, all at one port.
    private static func services(_ hosts: String...) async throws -> (port: Int, all: [ScriptedService]) {
        while true {
            let first = try await ScriptedService(.silence, host: hosts[0])
            var all = [first]
            for host in hosts.dropFirst() {
                guard let next = try? await ScriptedService(.silence, host: host, port: first.port) else { break }
                all.append(next)
            }
            if all.count == hosts.count { return (first.port, all) }
            for service in all { await service.stop() }
        }
    }

    private static func stop(_ services: [ScriptedService]) async {
        for service in services { await service.stop() }
    }

    @Test("connections are spread over the addresses")
    func spreading() async throws {
        let (port, services) = try await Self.services("127.0.0.1", "127.0.0.2", "127.0.0.3")
        let zone = Zone()
        try zone.set("127.0.0.1", "127.0.0.2", "127.0.0.3", port: port)
        let phone = try await Phone(.host("service.test", port: port), zone.directory)
        var reached: [String?] = []
        for _ in 0..<6 { reached.append(try await phone.call()) }
        #expect(reached == ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.2", "127.0.0.3"])
        #expect(zone.lookUps.load(ordering: .relaxed) == 1, "connections of one moment share a look-up")
        await Self.stop(services)
    }

    @Test("an address that refuses is no end while another answers, and is not tried first the next time")
    func deadAddress() async throws {
        let (port, services) = try await Self.services("127.0.0.2", "127.0.0.1")
        let zone = Zone()
        try zone.set("127.0.0.1", "127.0.0.2", port: port)
        await services[1].stop()
        let phone = try await Phone(.host("service.test", port: port), zone.directory)
        #expect(try await phone.call() == "127.0.0.2")
        let again = try await ScriptedService(.silence, host: "127.0.0.1", port: port)
        for _ in 0..<3 { #expect(try await phone.call() == "127.0.0.2", "the other one failed a moment ago") }
        #expect(zone.lookUps.load(ordering: .relaxed) >= 2, "what did not answer may have moved")
        await services[0].stop()
        #expect(try await phone.call() == "127.0.0.1", "it is still there for when no other answers")
        await again.stop()
    }

    @Test("an address that is silent is passed by within the time for connecting")
    func silentAddress() async throws {
        // A listener that accepts nothing and whose queue is full answers no connection.
        let (port, services) = try await Self.services("127.0.0.2")
        let full = try FullListener(port: port)
        let zone = Zone()
        try zone.set("127.0.0.1", "127.0.0.2", port: port)
        let phone = try await Phone(.host("service.test", port: port), zone.directory)
        let began = ContinuousClock.now
        #expect(try await phone.call() == "127.0.0.2")
        #expect(ContinuousClock.now - began >= .milliseconds(100), "the silent one was tried")
        #expect(try await phone.call() == "127.0.0.2")
        _ = full
        await Self.stop(services)
    }

    @Test("a name that moves is followed at the next connection, and says so")
    func moved() async throws {
        let (port, services) = try await Self.services("127.0.0.1", "127.0.0.2")
        let zone = Zone()
        try zone.set("127.0.0.1", port: port)
        let directory = zone.directory
        let name = NameDirectory.Name(host: "service.test", port: port)
        let phone = try await Phone(.host("service.test", port: port), directory)
        let vanished = Counter()
        try await phone.on { $0.addressesVanished = { vanished.count.add(1, ordering: .relaxed) } }
        #expect(try await phone.call() == "127.0.0.1")
        #expect(vanished.count.load(ordering: .relaxed) == 0)
        let before = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let after = try SocketAddress(ipAddress: "127.0.0.2", port: port)
        #expect(try await phone.on { $0.stillMeans(before) } == true)
        try zone.set("127.0.0.2", port: port)
        directory.distrust(name)
        #expect(try await phone.call() == "127.0.0.2")
        #expect(vanished.count.load(ordering: .relaxed) == 1)
        #expect(try await phone.on { $0.stillMeans(before) } == false)
        #expect(try await phone.on { $0.stillMeans(after) && $0.stillMeans(nil) })
        await Self.stop(services)
    }

    @Test("while the name cannot be looked up, the addresses that were found last have to do")
    func staleAddresses() async throws {
        let (port, services) = try await Self.services("127.0.0.1")
        let zone = Zone()
        let directory = zone.directory
        let name = NameDirectory.Name(host: "service.test", port: port)
        let phone = try await Phone(.host("service.test", port: port), directory)
        zone.fail()
        let error = await #expect(throws: NIOConnectionError.self) { try await phone.call() }
        #expect(error.map { TLSTrouble.describe($0) } == "the name cannot be resolved")
        try zone.set("127.0.0.1", port: port)
        #expect(try await phone.call() == "127.0.0.1")
        zone.fail()
        directory.distrust(name)
        #expect(try await phone.call() == "127.0.0.1")
        await Self.stop(services)
    }

    @Test("a name server that takes its time does not hold up a connection for long")
    func slowNameServer() async throws {
        let (port, services) = try await Self.services("127.0.0.1")
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let slow = Counter()
        let gate = DispatchSemaphore(value: 0)
        let directory = NameDirectory { _ in
            if slow.count.load(ordering: .relaxed) > 0 { gate.wait() }
            return [address]
        }
        let phone = try await Phone(.host("service.test", port: port), directory)
        #expect(try await phone.call() == "127.0.0.1")
        slow.count.add(1, ordering: .relaxed)
        directory.distrust(.init(host: "service.test", port: port))
        #expect(try await phone.call(milliseconds: 400) == "127.0.0.1")
        gate.signal()
        await Self.stop(services)
    }

    @Test("an address or a socket is no name: nothing is looked up")
    func literals() async throws {
        let zone = Zone()
        let service = try await ScriptedService(.silence)
        let phone = try await Phone(.host("127.0.0.1", port: service.port), zone.directory)
        #expect(try await phone.call() == "127.0.0.1")
        #expect(try await phone.on { [$0.mayMove, $0.stillMeans(nil)] } == [false, true])
        let folder = try TemporaryFolder()
        let local = try await ScriptedService(.silence, path: folder.path("s"))
        #expect(try await Phone(.unix(path: folder.path("s")), zone.directory).call() == nil)
        #expect(zone.lookUps.load(ordering: .relaxed) == 0)
        await service.stop()
        await local.stop()
    }
}
