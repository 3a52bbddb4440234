import Foundation
import PosternCore
import Testing

@testable import PosternProxy

@Suite struct HealthTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"), ("HTTP/1.0 503 No\r\n\r\n", 503, ""),
        ("HTTP/1.1 200\r\n\r\na\r\n\r\nb", 200, "a\r\n\r\nb"),
    ])
    func answerIsRead(row: (String, Int, String)) throws {
        #expect(try PlainHTTP.parse(Array(row.0.utf8)) == PlainHTTP.Reply(status: row.1, body: row.2))
    }

    @Test(arguments: [
        "", "\r\n", "SSH-2.0-x", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
    ])
    func whatIsNoAnswerIsSaid(text: String) {
        #expect(throws: PlainHTTP.Failure.self) { try PlainHTTP.parse(Array(text.utf8)) }
    }

    @Test func everyAddressIsReachedOnThisMachine() {
        #expect(Address.host("0.0.0.0", port: 1).reachable == .host("127.0.0.1", port: 1))
        #expect(Address.host("::", port: 1).reachable == .host("::1", port: 1))
        #expect(Address.host("10.0.0.1", port: 1).reachable == .host("10.0.0.1", port: 1))
        #expect(Address.unix(path: "/a").reachable == .unix(path: "/a"))
    }

    @Test func onlyTheAdminAddressOfTheFileHasToBeGood() throws {
        let admin = try AdminAddress.find(path: Scene.path("broken.yaml")).get()
        #expect(admin.address == .host("127.0.0.1", port: 9977))
    }

    @Test func missingFileIsAProblemOfConfiguration() {
        let output = HealthCommand.run(path: Scene.path("absent.yaml"), ready: false)
        #expect(output.exitCode == ExitStatus.configuration)
        #expect(output.stderr.contains("absent.yaml:1:1: error: "))
    }

    @Test func nobodyListeningIsNotHealthy() throws {
        let missing = Address.unix(path: "\(NSTemporaryDirectory())/\(UUID().uuidString)")
        guard case .failure(let failure) = PlainHTTP.get("/healthz", at: missing, deadline: .max) else {
            Issue.record("there is nobody to answer")
            return
        }
        #expect(failure.reason == "No such file or directory")
    }

    @Test func silentListenerIsGivenUpOnAtTheDeadline() throws {
        let listener = try Listener()
        let deadline = MonotonicClock.milliseconds + 50
        let result = PlainHTTP.get("/healthz", at: listener.address, deadline: deadline)
        #expect(result == .failure(.init(reason: "no answer in time")))
    }

    @Test func answerOfAListenerIsReturned() async throws {
        let listener = try Listener()
        let request = listener.answer("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"status\":\"not ready\"}\n")
        let result = PlainHTTP.get("/readyz", at: listener.address, deadline: .max)
        let asked = try #require(await request.first { _ in true })
        #expect(asked.hasPrefix("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"))
        let reply = try result.get()
        let output = HealthCommand.output(reply, listener.address, ready: true)
        #expect(output.exitCode == ExitStatus.negative)
        #expect(output.stderr == "not ready (\(listener.address)): 503 {\"status\":\"not ready\"}\n")
    }

    @Test func goodAnswerIsOneLineOnStandardOutput() {
        let output = HealthCommand.output(.init(status: 200, body: "{}"), .host("127.0.0.1", port: 9901), ready: false)
        #expect(output == CommandOutput(stdout: "healthy (127.0.0.1:9901)\n"))
    }
}

/// A Unix socket that takes connections, and answers one if it is told to.
private struct Listener: ~Copyable {
    private let descriptor: Int32
    private let path: String

    var address: Address { .unix(path: self.path) }

    init() throws {
        let path = "/tmp/postern-\(UUID().uuidString)"
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let descriptor = socket(AF_UNIX, StreamSocket.stream, 0)
        let bound = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(descriptor >= 0 && bound == 0 && listen(descriptor, 4) == 0)
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        close(self.descriptor)
        unlink(self.path)
    }

    /// Takes one connection on a thread of its own, which runs already when this returns, and writes the text; yields what
    /// the client had sent first.
    func answer(_ text: String) -> AsyncStream<String> {
        let descriptor = self.descriptor
        let (requests, continuation) = AsyncStream.makeStream(of: String.self)
        Thread.detachNewThread {
            let connection = accept(descriptor, nil, nil)
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = max(0, recv(connection, &buffer, buffer.count, 0))
            let bytes = Array(text.utf8)
            _ = send(connection, bytes, bytes.count, StreamSocket.noSignal)
            close(connection)
            continuation.yield(String(decoding: buffer.prefix(count), as: UTF8.self))
            continuation.finish()
        }
        return requests
    }
}
