import NIOCore
import PosternCore
import Synchronization
import Testing

@testable import PosternProxy

@Suite struct NameDirectoryTests {
    private final class Counter: Sendable {
        let count = Atomic<Int>(0)
    }

    private static let name = NameDirectory.Name(host: "service.test", port: 8001)

    private static func wait(
        _ directory: NameDirectory, maxAge: Int64 = 0
    ) async -> Result<[SocketAddress], any Error> {
        await withCheckedContinuation { continuation in
            let known = directory.addresses(of: Self.name, maxAge: maxAge, now: SystemClock.monotonic) {
                continuation.resume(returning: $0)
            }
            if let known { continuation.resume(returning: .success(known)) }
        }
    }

    @Test("a look-up is made outside, its answer is kept for as long as it is young enough")
    func answer() async throws {
        let lookUps = Counter()
        let address = try SocketAddress(ipAddress: "127.0.0.9", port: 8001)
        let directory = NameDirectory { name in
            #expect(name == Self.name)
            lookUps.count.add(1, ordering: .relaxed)
            return [address]
        }
        #expect(try await Self.wait(directory).get() == [address])
        #expect(try await Self.wait(directory, maxAge: .max).get() == [address])
        #expect(lookUps.count.load(ordering: .relaxed) == 1)
        directory.distrust(Self.name)
        #expect(try await Self.wait(directory, maxAge: .max).get() == [address])
        #expect(lookUps.count.load(ordering: .relaxed) == 2)
    }

    @Test("a look-up that fails says why, and the next one is made anew")
    func failure() async {
        let lookUps = Counter()
        let directory = NameDirectory { _ in
            lookUps.count.add(1, ordering: .relaxed)
            throw SystemNames.Failure(description: "no such name")
        }
        for count in 1...2 {
            await #expect(throws: SystemNames.Failure.self) { try await Self.wait(directory, maxAge: .max).get() }
            #expect(lookUps.count.load(ordering: .relaxed) == count)
        }
    }

    @Test("the system knows what the hosts file says, and what has no address")
    func system() throws {
        let addresses = try SystemNames.lookUp(.init(host: "localhost", port: 81))
        #expect(addresses.contains(try SocketAddress(ipAddress: "127.0.0.1", port: 81)))
        #expect(throws: SystemNames.Failure.self) {
            try SystemNames.lookUp(.init(host: "no-such-name.invalid", port: 81))
        }
    }
}
