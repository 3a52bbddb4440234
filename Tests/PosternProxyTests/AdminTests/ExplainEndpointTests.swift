import NIOHTTP1
import PosternCore
import Synchronization
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct ExplainEndpointTests {
    private static let question = #"{"method":"GET","path":"/x"}"#

    // MARK: - Questions

    @Test(arguments: [
        (#"{"method":"GET","path":"/x"}"#, ExplainRequest.Caller.headers),
        (#"{"method":"GET","path":"/x","token":null,"claims":null,"headers":null}"#, .headers),
        (#"{"method":"GET","path":"/x","token":"a.b.c"}"#, .token),
        (#"{"method":"GET","path":"/x","claims":{"sub":"u1"}}"#, .claims(.members([("sub", .string("u1"))]))),
        (#"{"method":"GET","path":"/x","claims":"{\"sub\":\"u1\"}"}"#, .claims(.members([("sub", .string("u1"))]))),
    ])
    func callerIsWhoTheBodySays(row: (String, ExplainRequest.Caller)) throws {
        let request = try ExplainEndpoint.read(Array(row.0.utf8))
        #expect((request.method, request.target, request.caller) == ("GET", "/x", row.1))
    }

    @Test func headersAreThoseOfTheRequest() throws {
        let body = #"{"method":"POST","path":"/x?y","headers":["Host: mt5","X-A: b"]}"#
        let request = try ExplainEndpoint.read(Array(body.utf8))
        #expect(String(decoding: request.bytes, as: UTF8.self) == "POST /x?y HTTP/1.1\r\nHost: mt5\r\nX-A: b\r\n\r\n")
    }

    @Test(arguments: [
        ("", "the body is not JSON"), ("[]", "the body has to be a JSON object"),
        (#"{"method":"GET"}"#, "method and path are required"), (#"{"path":"/x"}"#, "method and path are required"),
        (#"{"method":"","path":"/x"}"#, "METHOD is empty"), (#"{"method":1,"path":"/x"}"#, "method has to be a string"),
        (#"{"method":"GET","path":"/x\r\nA: b"}"#, "PATH has a line break"),
        (#"{"method":"GET","path":"/x","headers":"A: b"}"#, "headers has to be a list of strings"),
        (#"{"method":"GET","path":"/x","headers":[1]}"#, "headers has to be a list of strings"),
        (#"{"method":"GET","path":"/x","headers":["A"]}"#, "headers wants 'Name: value'"),
        (#"{"method":"GET","path":"/x","token":"a","claims":{}}"#, "give token or claims, not both"),
        (#"{"method":"GET","path":"/x","token":"Bearer a"}"#, "token wants the token alone"),
        (#"{"method":"GET","path":"/x","claims":"{"}"#, "claims is not JSON"),
        (#"{"method":"GET","path":"/x","claims":[]}"#, "claims wants a JSON object"),
        (#"{"method":"GET","path":"/x","tokens":"a"}"#, "there is no member \"tokens\""),
        (#"{"method":"GET","path":"/x","path":"/y"}"#, "the body is not JSON"),
    ])
    func whatIsNoQuestionIsSaid(row: (String, String)) async throws {
        let reply = await ExplainEndpoint().reply(to: Self.request(row.0), FixedSource(Self.ready))
        #expect(reply.status == .badRequest)
        let sentence = try #require(try JSONReader.parse(Array(reply.body.utf8).span.bytes)["error"]?.string)
        #expect(sentence.hasPrefix(row.1))
        #expect(!sentence.contains("--"))
    }

    // MARK: - Who may ask

    @Test func answerIsThatOfTheCommand() async {
        let reply = await ExplainEndpoint().reply(to: Self.request(Self.question), FixedSource(Self.ready))
        #expect((reply.status, reply.contentType) == (.ok, "application/json"))
        #expect(reply.body == "{\"path\":\"/x\"}\n")
    }

    @Test func pageOfAnotherSiteGetsNothing() async {
        var request = Self.request(Self.question)
        request.headers.add(name: "Sec-Fetch-Site", value: "cross-site")
        #expect(await ExplainEndpoint().reply(to: request, FixedSource(Self.ready)).status == .forbidden)
    }

    @Test(arguments: ["text/plain", "application/x-www-form-urlencoded"])
    func whatAFormCanSendIsRefused(type: String) async {
        var request = Self.request(Self.question)
        request.headers.replaceOrAdd(name: "Content-Type", value: type)
        #expect(await ExplainEndpoint().reply(to: request, FixedSource(Self.ready)).status == .unsupportedMediaType)
    }

    @Test func bodyThatWasTooLongIsRefused() async {
        var request = Self.request("")
        request.body = nil
        #expect(await ExplainEndpoint().reply(to: request, FixedSource(Self.ready)).status == .payloadTooLarge)
    }

    @Test func onlySoManyAreUnderWay() async {
        let endpoint = ExplainEndpoint()
        let source = SlowSource()
        await withTaskGroup(of: HTTPResponseStatus.self) { tasks in
            for _ in 0..<ExplainEndpoint.limit {
                tasks.addTask { await endpoint.reply(to: Self.request(Self.question), source).status }
            }
            await source.arrived(ExplainEndpoint.limit)
            #expect(await endpoint.reply(to: Self.request(Self.question), source).status == .serviceUnavailable)
            source.finish()
            for await status in tasks { #expect(status == .ok) }
        }
        #expect(await endpoint.reply(to: Self.request(Self.question), FixedSource(Self.ready)).status == .ok)
    }

    private static let ready = Readiness(listening: true, draining: false, issuersWithoutKeys: [])

    private static func request(_ body: String) -> AdminRequest {
        var request = AdminRequest(path: "/explain")
        request.method = .POST
        request.headers = ["Host": "localhost:9901", "Content-Type": "application/json"]
        request.body = Array(body.utf8)
        return request
    }
}

/// A process whose explanations end when the test says so.
private final class SlowSource: AdminSource {
    private let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    func readiness() async -> Readiness { Readiness(listening: true, draining: false, issuersWithoutKeys: []) }
    func metrics() async -> String { "" }
    func policy() async -> String { "" }
    func status(known: String?) async -> JSONValue { .null }

    func explain(_ request: ExplainRequest) async -> String {
        await withCheckedContinuation { continuation in
            self.waiting.withLock { $0.append(continuation) }
            self.arrival.yield()
        }
        return "{}\n"
    }

    /// Waits until so many are under way.
    func arrived(_ count: Int) async {
        var left = count
        for await _ in self.arrivals {
            left -= 1
            if left == 0 { return }
        }
    }

    func finish() {
        for continuation in self.waiting.withLock({ $0 }) { continuation.resume() }
    }
}
