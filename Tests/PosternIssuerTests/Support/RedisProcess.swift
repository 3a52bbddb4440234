import Foundation
import NIOCore
import NIOPosix
import PosternCore
import PosternRedis

@testable import PosternIssuer

/// A redis-server of one test, on a free port of loopback. Nothing of it outlives the test.
struct RedisProcess: Sendable {
    let port: Int
    private let process: ChildProcess

    /// Runs `test` with a server of its own, and ends the server.
    static func with(
        password: String? = nil, _ test: (RedisProcess) async throws -> Void
    ) async throws {
        let server = try RedisProcess(password: password)
        do {
            try await test(server)
        } catch {
            server.process.end()
            throw error
        }
        server.process.end()
    }

    private init(password: String?) throws {
        // Somebody else might take the port in between; then the server ends, and the test with it.
        self.port = try ChildProcess.freePort()
        self.process = try ChildProcess([
            "redis-server", "--bind", "127.0.0.1", "--port", String(self.port), "--save", "", "--appendonly", "no",
            "--dir", try TemporaryFolder().path, "--requirepass", password ?? "",
        ])
    }

    /// As the issuer is told of it.
    func configuration(password: String? = nil) throws -> RedisConfiguration {
        let credentials = password.map { ":\($0)@" } ?? ""
        return RedisConfiguration(url: try RedisURL("redis://\(credentials)127.0.0.1:\(self.port)"))
    }
}

/// The other side: what a proxy sees on the channel, and a connection for looks and for mischief.
final class RedisObserver: Sendable {
    static let name = "postern:revocations"

    private let messages: AsyncStream<String>
    private let port: RedisPort
    private let eventLoop: any EventLoop
    private let subscription: NIOLoopBoundBox<RedisSubscription?>

    /// Returns when it is subscribed and connected.
    init(_ server: RedisProcess, password: String? = nil) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        self.eventLoop = eventLoop
        self.port = try RedisPort(try server.configuration(password: password), eventLoop: eventLoop)
        self.subscription = .makeEmptyBox(eventLoop: eventLoop)
        let (messages, queue) = AsyncStream.makeStream(of: String.self)
        self.messages = messages
        let settings = RedisSettings(
            topology: .single(RedisAddress(host: "127.0.0.1", port: server.port)),
            password: password.map { Array($0.utf8) })
        await withCheckedContinuation { isSubscribed in
            eventLoop.execute {
                var waiter: CheckedContinuation<Void, Never>? = isSubscribed
                let made = RedisSubscription(
                    eventLoop: eventLoop, settings: settings, channel: Array(Self.name.utf8)
                ) { event in
                    if case .message(let bytes) = event { queue.yield(String(decoding: bytes, as: UTF8.self)) }
                    guard case .subscribed = event else { return }
                    waiter?.resume()
                    waiter = nil
                }
                self.subscription.value = made
                made.start()
            }
        }
        let (ups, up) = AsyncStream.makeStream(of: Bool.self)
        self.port.start { isUp, _ in up.yield(isUp) }
        for await isUp in ups where isUp { break }
    }

    func stop() async {
        await self.port.stop()
        await withCheckedContinuation { stopped in
            self.eventLoop.execute {
                self.subscription.value?.stop()
                self.subscription.value = nil
                stopped.resume()
            }
        }
    }

    /// The next messages of the channel.
    func next(_ count: Int) async -> [String] {
        var found: [String] = []
        for await message in self.messages {
            found.append(message)
            if found.count == count { break }
        }
        return found
    }

    /// One command, its parts separated by spaces.
    @discardableResult
    func send(_ command: String) async throws -> RedisReply {
        let parts = command.split(separator: " ").map { Array($0.utf8) }
        let answers = await self.port.send([parts], key: Array(Self.name.utf8))
        return try answers[0].get()
    }

    /// The score of a member; nil if it is not in the set.
    func score(_ member: String) async throws -> String? {
        guard case .string(let bytes) = try await self.send("ZSCORE \(Self.name) \(member)") else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
