import Dispatch
import NIOCore
import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct OpenListenerTests {
    @Test func portOfALivingListenerIsNotSharedUnlessThatIsSaid() async throws {
        let (first, second) = (try await LoopRig(loops: 2), try await LoopRig())
        let open = try await Listeners(loops: first.loops).open(.host("127.0.0.1", port: 0))
        let address = try Self.address(of: open)
        await #expect(throws: Listeners.Failure.self) { try await Listeners(loops: second.loops).open(address) }
        let shared = try await Listeners(loops: second.loops, sharesAddresses: true).open(address)
        // As many as the first has, though its one event loop needs only one.
        let port = open.channels[0].localAddress?.port
        #expect(shared.channels.map { $0.localAddress?.port } == [port, port])
        try await first.stop()
        try await second.stop()
    }

    @Test(
        "connections go to the successor, however many sockets both have", arguments: [(1, 1), (2, 2), (2, 1), (1, 3)])
    func connectionsGoToTheSuccessor(loops: (Int, Int)) async throws {
        let (first, second) = (try await LoopRig(loops: loops.0), try await LoopRig(loops: loops.1))
        let open = try await Listeners(loops: first.loops).open(.host("127.0.0.1", port: 0))
        let address = try Self.address(of: open)
        let successor = try await Listeners(loops: second.loops, sharesAddresses: true).open(address)
        await open.leaveToSuccessor()
        for _ in 0..<40 { try Self.expectAnswer(at: address) }
        #expect(try await Self.requests(first) == 0)
        await open.close()
        await successor.takeOver()
        for _ in 0..<40 { try Self.expectAnswer(at: address) }
        #expect(try await Self.requests(second) == 80)
        try await first.stop()
        try await second.stop()
    }

    @Test(
        "none goes to a socket that will close next, however many event loops both have",
        arguments: [(1, 1), (2, 1), (3, 1), (3, 2), (2, 3)])
    func connectionsGoToTheSuccessorWhileSocketsClose(loops: (Int, Int)) async throws {
        let (first, second) = (try await LoopRig(loops: loops.0), try await LoopRig(loops: loops.1))
        let open = try await Listeners(loops: first.loops).open(.host("127.0.0.1", port: 0))
        let address = try Self.address(of: open)
        let successor = try await Listeners(loops: second.loops, sharesAddresses: true).open(address)
        #expect(successor.channels.count % loops.1 == 0)
        await open.leaveToSuccessor()
        for channel in open.channels {
            try await channel.close().get()
            for _ in 0..<20 { try Self.expectAnswer(at: address) }
        }
        #expect(try await Self.requests(first) == 0)
        #expect(try await Self.requests(second) == 20 * loops.0)
        try await first.stop()
        try await second.stop()
    }

    @Test func connectionThatWaitsInTheQueueIsAcceptedBeforeTheEnd() async throws {
        let rig = try await LoopRig()
        let open = try await Listeners(loops: rig.loops).open(.host("127.0.0.1", port: 0))
        let address = try Self.address(of: open)
        let (busy, goOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        rig.loops[0].eventLoop.execute {
            busy.signal()
            goOn.wait()
        }
        Self.wait(for: busy)
        let one = try StreamSocket(connectingTo: address, deadline: Self.deadline)
        let other = try StreamSocket(connectingTo: address, deadline: Self.deadline)
        async let closed: Void = open.close()
        goOn.signal()
        await closed
        try Self.expectAnswer(on: one)
        try Self.expectAnswer(on: other)
        #expect(throws: PlainHTTP.Failure.self) { try PlainHTTP.get("/", at: address, deadline: Self.deadline).get() }
        try await rig.stop()
    }

    @Test func unixSocketIsReplacedWithoutAMomentWithout() async throws {
        let folder = try TemporaryFolder()
        let (first, second) = (try await LoopRig(), try await LoopRig())
        let address = Address.unix(path: folder.path("s"))
        let open = try await Listeners(loops: first.loops).open(address)
        let successor = try await Listeners(loops: second.loops, sharesAddresses: true).open(address)
        try Self.expectAnswer(at: address)
        await open.leaveToSuccessor()
        await open.close()
        try Self.expectAnswer(at: address)
        #expect(try await Self.requests(first) == 0)
        #expect(try await Self.requests(second) == 2)
        await successor.close()
        #expect(throws: PlainHTTP.Failure.self) { try PlainHTTP.get("/", at: address, deadline: Self.deadline).get() }
        try await first.stop()
        try await second.stop()
    }

    // MARK: - Helpers

    private static var deadline: Int64 { MonotonicClock.milliseconds + 20_000 }

    private static func wait(for semaphore: DispatchSemaphore) { semaphore.wait() }

    private static func address(of open: OpenListener) throws -> Address {
        .host("127.0.0.1", port: try #require(open.channels.first?.localAddress?.port))
    }

    private static func expectAnswer(at address: Address) throws {
        #expect(try PlainHTTP.get("/x", at: address, deadline: Self.deadline).get().status == 403)
    }

    private static func expectAnswer(on socket: borrowing StreamSocket) throws {
        let request = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        try socket.write(Array(request.utf8), deadline: Self.deadline)
        let answer = try socket.readToEnd(limit: 65_536, deadline: Self.deadline)
        #expect(answer.starts(with: "HTTP/1.1 403".utf8))
    }

    /// Requests that were answered.
    private static func requests(_ rig: LoopRig) async throws -> Int {
        var count = 0
        for index in rig.loops.indices {
            count += try await rig.on(index) { loop in
                var requests: [UInt64: UInt64] = [:]
                loop.metrics.requests.add(to: &requests)
                return Int(requests.values.reduce(0, +))
            }
        }
        return count
    }
}
