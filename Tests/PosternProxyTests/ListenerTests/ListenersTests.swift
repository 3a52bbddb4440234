import Foundation
import NIOCore
import NIOPosix
import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct ListenersTests {
    // MARK: - Sentences

    @Test(arguments: [
        (EADDRINUSE, "127.0.0.1:80 is in use by another process; stop it or choose another address"),
        (EACCES, "this user may not listen on 127.0.0.1:80"),
        (EADDRNOTAVAIL, "127.0.0.1:80 is not an address of this machine"),
    ])
    func errorOfTheSystemIsASentence(row: (Int32, String)) {
        let error = IOError(errnoCode: row.0, reason: "bind")
        #expect(Listeners.sentence(error, .host("127.0.0.1", port: 80)) == row.1)
    }

    @Test func otherErrorIsSaidAsItIs() {
        let system = Listeners.sentence(IOError(errnoCode: EMFILE, reason: "socket"), .unix(path: "/run/x"))
        #expect(system.hasPrefix("cannot listen on unix:/run/x: "))
        #expect(system.contains("socket"))
        let other = Listeners.sentence(CancellationError(), .host("::1", port: 1))
        #expect(other.hasPrefix("cannot listen on [::1]:1: "))
    }

    // MARK: - Sockets

    @Test func everyLoopListensOnTheSamePort() async throws {
        let rig = try await LoopRig(loops: 3)
        let channels = try await Listeners(loops: rig.loops).open(.host("127.0.0.1", port: 0)).channels
        #expect(channels.count == 3)
        #expect(Set(channels.map { $0.localAddress?.port }).count == 1)
        #expect(channels[0].localAddress?.port != 0)
        let port = try #require(channels[0].localAddress?.port)
        let reply = PlainHTTP.get("/x", at: .host("127.0.0.1", port: port), deadline: Self.deadline)
        #expect(try reply.get().status == 403)
        try await rig.stop()
    }

    @Test func addressThatIsTakenIsSaid() async throws {
        let rig = try await LoopRig()
        let taken = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        let failure = await Self.failure(rig, .host("127.0.0.1", port: port))
        #expect(failure == "127.0.0.1:\(port) is in use by another process; stop it or choose another address")
        try await taken.close()
        try await rig.stop()
    }

    @Test func addressOfAnotherMachineIsSaid() async throws {
        let rig = try await LoopRig()
        // A block for documentation (RFC 5737): no machine has it.
        let failure = await Self.failure(rig, .host("192.0.2.1", port: 0))
        #expect(failure == "192.0.2.1:0 is not an address of this machine")
        try await rig.stop()
    }

    @Test func socketFileOfADeadProcessIsReplacedAndThatOfALivingOneIsNot() async throws {
        let folder = try TemporaryFolder()
        let rig = try await LoopRig(loops: 2)
        let address = Address.unix(path: folder.path("s"))
        let dead = try await Listeners(loops: rig.loops).open(address)
        #expect(dead.channels.count == 1)
        // A listener that is closed takes its file along; under another name it stays, as after a crash.
        #expect(link(folder.path("s"), folder.path("left")) == 0)
        await dead.close()
        #expect(!FileManager.default.fileExists(atPath: folder.path("s")))
        try folder.rename("left", over: "s")
        _ = try await Listeners(loops: rig.loops).open(address)
        #expect(try PlainHTTP.get("/x", at: address, deadline: Self.deadline).get().status == 403)
        let failure = await Self.failure(rig, address)
        #expect(failure == "\(address) is in use by another process")
        #expect(try PlainHTTP.get("/x", at: address, deadline: Self.deadline).get().status == 403)
        try await rig.stop()
    }

    @Test func fileThatIsNoSocketIsNotReplaced() async throws {
        let folder = try TemporaryFolder()
        try folder.write("s", "precious")
        let rig = try await LoopRig()
        let failure = await Self.failure(rig, .unix(path: folder.path("s")))
        #expect(failure == "cannot listen on unix:\(folder.path("s")): the file that is there is no socket")
        #expect(try String(contentsOfFile: folder.path("s"), encoding: .utf8) == "precious")
        try await rig.stop()
    }

    @Test func connectionOverTheLimitIsAnswered503() async throws {
        let rig = try await LoopRig(connections: 0)
        let channels = try await Listeners(loops: rig.loops).open(.host("127.0.0.1", port: 0)).channels
        let port = try #require(channels[0].localAddress?.port)
        let reply = try PlainHTTP.get("/", at: .host("127.0.0.1", port: port), deadline: Self.deadline).get()
        #expect(reply.status == 503)
        let body = try JSONReader.parse(Array(reply.body.utf8).span.bytes)
        #expect(body["code"] == .string("overloaded"))
        #expect(body["request_id"]?.string?.utf8.count == 32)
        #expect(rig.services.refusedConnections == 1)
        #expect(rig.services.openConnections == 0)
        try await rig.stop()
    }

    private static var deadline: Int64 { MonotonicClock.milliseconds + 20_000 }

    private static func failure(_ rig: LoopRig, _ address: Address) async -> String? {
        do throws(Listeners.Failure) {
            _ = try await Listeners(loops: rig.loops).open(address)
            return nil
        } catch {
            return error.description
        }
    }
}
