import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
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
        // The same of the admin listener: the sentence has the address of the one that failed.
        configuration.listen = ListenAddress(host: "127.0.0.1", port: 0)
        configuration.adminListen = address
        let third = IssuerProcess(configuration, logger: logger) { _ in }
        let other = await #expect(throws: IssuerFailure.self) { try await third.run() }
        #expect(other?.sentences == ["cannot listen on \(address): another process already listens there"])
        running.cancel()
        _ = await running.result
    }
    @Test("A stop ends every service, and what was refused last is in the audit table", .timeLimit(.minutes(1)))
    func stops() async throws {
        let folder = try TemporaryFolder()
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        var configuration = TestIssuer.configuration(folder)
        configuration.adminListen = ListenAddress(host: "127.0.0.1", port: 0)
        configuration.audit.path = folder.file("audit.log")
        configuration.audit.retention = 3600
        let process = IssuerProcess(configuration, logger: LogCapture().logger) { continuation.yield($0) }
        let running = Task {
            defer { continuation.finish() }
            try await process.run()
        }
        var open: [String] = []
        for await line in lines where line.contains("listening on") {
            open.append(line)
            if open.count == 2 { break }
        }
        #expect(open.contains { $0.hasPrefix("postern-issuer admin listening on 127.0.0.1:") })
        let address = try #require(
            open.first { $0.hasPrefix("postern-issuer listening on ") }.flatMap { $0.split(separator: " ").last })
        let client = HTTPClient.shared
        var request = HTTPClientRequest(url: "http://\(address)/auth/login")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: "{\"username\":\"nobody\",\"password\":\"wrong password\"}"))
        #expect(try await client.execute(request, timeout: .seconds(10)).status == .unauthorized)
        running.cancel()
        _ = await running.result
        let store = try await configuration.store.open()
        let entry = try #require(try await store.auditEntries(limit: 1).first)
        #expect(entry.action == .userLogin && !entry.isAllowed)
        #expect(try String(contentsOfFile: folder.file("audit.log"), encoding: .utf8) == entry.line + "\n")
        await store.close()
    }
}
