import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import PosternProxy

/// The admin listener's HTTP, above NIO's own parsing.
@Suite(.timeLimit(.minutes(1))) struct AdminHandlerTests {
    private struct Answer {
        var head: HTTPResponseHead
        var body: String
        var isOpen: Bool
    }

    @Test(arguments: ["/healthz", "/healthz?x=1", "/healthz?"])
    func getIsAnswered(target: String) async throws {
        let answer = try await self.answer(.GET, target)
        #expect(answer.head.status == .ok)
        #expect(answer.body == "{\"status\":\"ok\"}\n")
        #expect(answer.head.headers["Content-Type"] == ["application/json"])
        #expect(answer.head.headers["Content-Length"] == ["\(answer.body.utf8.count)"])
        #expect(answer.head.headers["Cache-Control"] == ["no-store"])
        #expect(!answer.head.headers.contains(name: "Connection"))
        #expect(answer.isOpen)
    }

    @Test func headHasTheLengthAndNoBody() async throws {
        let answer = try await self.answer(.HEAD, "/healthz")
        #expect(answer.head.status == .ok)
        #expect(answer.head.headers["Content-Length"] == ["16"])
        #expect(answer.body.isEmpty)
    }

    @Test(arguments: [HTTPMethod.POST, .PUT, .DELETE, .OPTIONS, .RAW(value: "PURGE")])
    func otherMethodIsNotAllowed(method: HTTPMethod) async throws {
        let answer = try await self.answer(method, "/healthz")
        #expect(answer.head.status == .methodNotAllowed)
        #expect(answer.head.headers["Allow"] == ["GET, HEAD"])
        #expect(answer.body == "{\"error\":\"use GET\"}\n")
    }

    @Test(arguments: [HTTPMethod.GET, .POST])
    func nothingAtAPathIsNotFound(method: HTTPMethod) async throws {
        let answer = try await self.answer(method, "/nothing?/healthz")
        #expect(answer.head.status == .notFound)
        #expect(answer.body == "{\"error\":\"there is nothing at this path\"}\n")
    }

    @Test func bodyOfAPostIsReadInAnyNumberOfParts() async throws {
        let body = ["{\"method\":\"GET\",", "", "\"path\":\"/x\"}"]
        let answer = try await self.answer(.POST, "/explain", headers: ["Content-Type": "application/json"], body: body)
        #expect(answer.head.status == .ok)
        #expect(answer.body == "{\"path\":\"/x\"}\n")
    }

    @Test func bodyThatIsTooLongIsNotKept() async throws {
        let body = Array(repeating: String(repeating: " ", count: AdminRequest.bodyLimit / 2), count: 3)
        let answer = try await self.answer(.POST, "/explain", headers: ["Content-Type": "application/json"], body: body)
        #expect(answer.head.status == .payloadTooLarge)
        #expect(answer.body == "{\"error\":\"the body has more than 65536 bytes\"}\n")
        #expect(answer.isOpen)
    }

    @Test(arguments: [HTTPMethod.GET, .HEAD, .PUT])
    func onlyPostIsExplained(method: HTTPMethod) async throws {
        let answer = try await self.answer(method, "/explain")
        #expect(answer.head.status == .methodNotAllowed)
        #expect(answer.head.headers["Allow"] == ["POST"])
    }

    @Test func connectionClosesWhenTheClientSaysSo() async throws {
        let answer = try await self.answer(.GET, "/healthz", headers: ["Connection": "close"])
        #expect(answer.head.headers["Connection"] == ["close"])
        #expect(!answer.isOpen)
    }

    private func answer(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body parts: [String] = []
    ) async throws -> Answer {
        let source = FixedSource(Readiness(listening: true, draining: false, issuersWithoutKeys: []))
        let channel = NIOAsyncTestingChannel()
        try await channel.testingEventLoop.submit {
            try channel.pipeline.syncOperations.addHandler(
                AdminHandler(server: AdminServer(scope: .admin, source: source)))
        }.get()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        try await channel.writeInbound(HTTPServerRequestPart.head(head))
        for part in parts { try await channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: part))) }
        try await channel.writeInbound(HTTPServerRequestPart.end(nil))
        var body = ""
        guard case .head(let found) = try await channel.waitForOutboundWrite(as: HTTPServerResponsePart.self) else {
            throw KeyServer.Ended()
        }
        while true {
            let part = try await channel.waitForOutboundWrite(as: HTTPServerResponsePart.self)
            guard case .body(.byteBuffer(let bytes)) = part else { break }
            body += String(buffer: bytes)
        }
        // The close, if there is one, was asked for in the same turn of the loop as the last write.
        await channel.testingEventLoop.run()
        return Answer(head: found, body: body, isOpen: channel.isActive)
    }
}
