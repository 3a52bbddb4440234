import Logging
import Testing

@testable import PosternIssuer

@Suite struct IssuerProcessTests {
    @Test("The process says where it listens; on a port that is taken it ends with a sentence", .timeLimit(.minutes(1)))
    func busyPort() async throws {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        let logger = LogCapture().logger
        let first = IssuerProcess(TestIssuer.configuration(try TemporaryFolder()), logger: logger) {
            continuation.yield($0)
        }
        let running = Task {
            // A process that does not come up must not leave the loop below waiting.
            defer { continuation.finish() }
            try await first.run()
        }
        var printed: [String] = []
        for await line in lines {
            printed.append(line)
            if line.hasPrefix("postern-issuer listening on ") { break }
        }
        #expect(
            printed.dropLast() == [
                "client_id=mt5-api-service client_secret=\(TestIssuer.serviceSecret)",
                "client_id=trading-dashboard client_secret=\(TestIssuer.dashboardSecret)",
            ])
        let address = try #require(printed.last.flatMap { ListenAddress(String($0.split(separator: " ")[3])) })
        #expect(address.host == "127.0.0.1" && address.port > 0)
        var configuration = TestIssuer.configuration(try TemporaryFolder())
        configuration.listen = address
        let second = IssuerProcess(configuration, logger: logger) { _ in }
        let failure = await #expect(throws: IssuerFailure.self) { try await second.run() }
        #expect(failure?.sentences == ["cannot listen on \(address): another process already listens there"])
        #expect(failure?.exitCode == 1)
        running.cancel()
        _ = await running.result
    }
}
