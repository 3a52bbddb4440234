import AsyncHTTPClient
import NIOHTTP1
import PosternCore
import PosternCrypto
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct KeyFetcherTests {
    private let server: KeyServer
    private let fetcher = KeyFetcher(client: HTTPClient.shared)
    private let keys: String

    init() async throws {
        self.server = try await KeyServer()
        self.keys = Mint.keySet([("k", try SigningKey.generate(.es256))]).serialized()
    }

    // MARK: - The key set

    @Test func requestSaysWhatItWants() async throws {
        let remote = try self.remote("url: \"\(self.server.url)/a?b=c\", headers: {X-One: first, X-Two: second}")
        async let fetched = self.fetch(remote)
        let request = try await self.server.next()
        #expect(request.head.method == .GET)
        #expect(request.head.uri == "/a?b=c")
        #expect(request.head.headers["Accept"] == ["application/json, application/jwk-set+json"])
        #expect(request.head.headers["User-Agent"] == ["postern"])
        #expect(request.head.headers["X-One"] == ["first"])
        #expect(request.head.headers["X-Two"] == ["second"])
        request.answer(self.keys)
        let result = try await fetched
        #expect(result.keys.keys.map(\.keyID) == ["k"])
        #expect(result.documents.map(\.keyID) == ["k"])
        #expect(result.skipped.isEmpty)
    }

    private static let freshness: [(String, [String], Int64?)] = [
        ("no field", [], nil), ("an age", ["max-age=120"], 120),
        ("among others", ["public, max-age=60, must-revalidate"], 60),
        ("in the second of two fields", ["public", "max-age=30"], 30), ("not to be stored", ["no-store"], 0),
        ("not to be stored, in another field", ["max-age=60", "no-store"], 0), ("no number", ["max-age=soon"], nil),
    ]

    @Test(arguments: Self.freshness)
    func cacheControlSaysHowLongKeysAreFresh(row: (String, [String], Int64?)) async throws {
        async let fetched = self.fetch(try self.remote("url: \"\(self.server.url)/jwks\""))
        let headers = HTTPHeaders(row.1.map { ("cache-control", $0) })
        try await self.server.next().answer(self.keys, headers: headers)
        #expect(try await fetched.maximumAge == row.2.map { $0 * 1_000_000_000 }, "\(row.0)")
    }

    @Test(arguments: [
        ("not found", 404, "{}", "answered 404"), ("no content", 204, "", "answered 204"),
        ("no JSON", 200, "<html>", "is not a key set: the key set is not JSON"),
        ("no set", 200, "[]", "is not a key set: the key set is not a JSON object"),
        ("an empty set", 200, #"{"keys":[]}"#, "has no usable key"),
        ("a shared secret", 200, #"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, "has no usable key"),
    ])
    func failureSaysWhatCameFromWhere(row: (String, Int, String, String)) async throws {
        let url = "\(self.server.url)/jwks"
        let remote = try self.remote("url: \"\(url)\"")
        async let failed = self.failure(remote)
        try await self.server.next().answer(row.2, status: .init(statusCode: row.1))
        let failure = try #require(await failed)
        #expect(failure.contains(url) && failure.contains(row.3), "\(row.0): \(failure)")
    }

    @Test(arguments: [(0, true), (1, false)])
    func answerOverTheLimitIsRefused(row: (Int, Bool)) async throws {
        let padding = String(repeating: " ", count: KeyFetcher.sizeLimit - self.keys.utf8.count + row.0)
        let remote = try self.remote("url: \"\(self.server.url)/jwks\"")
        async let failed = self.failure(remote)
        try await self.server.next().answer(self.keys + padding)
        let failure = await failed
        #expect((failure == nil) == row.1, "\(failure ?? "")")
    }

    @Test func nobodyListeningIsAFailure() async throws {
        let remote = try self.remote("url: \"http://127.0.0.1:1/jwks\"")
        #expect(await self.failure(remote, timeout: 2_000_000_000) != nil)
    }

    // MARK: - Discovery

    @Test(arguments: [
        (
            "https://a.test", "https://a.test/.well-known/openid-configuration",
            "https://a.test/.well-known/oauth-authorization-server"
        ),
        (
            "https://a.test/", "https://a.test/.well-known/openid-configuration",
            "https://a.test/.well-known/oauth-authorization-server"
        ),
        (
            "https://a.test:8443/t/x", "https://a.test:8443/t/x/.well-known/openid-configuration",
            "https://a.test:8443/.well-known/oauth-authorization-server/t/x"
        ),
        (
            "https://a.test/t/", "https://a.test/t/.well-known/openid-configuration",
            "https://a.test/.well-known/oauth-authorization-server/t"
        ),
        (
            "http://[::1]:80/t", "http://[::1]:80/t/.well-known/openid-configuration",
            "http://[::1]:80/.well-known/oauth-authorization-server/t"
        ),
    ])
    func metadataIsSoughtAtBothPlaces(row: (String, String, String)) {
        #expect(KeyFetcher.metadataURLs(row.0) == [row.1, row.2])
    }

    @Test func keySetIsFoundThroughTheMetadata() async throws {
        let remote = try self.discovery("/tenant")
        async let fetched = self.fetch(remote)
        try await self.server.next().answer(self.metadata("/tenant", keys: "\(self.server.url)/keys"))
        try await self.server.next().answer(self.keys)
        #expect(try await fetched.keys.keys.map(\.keyID) == ["k"])
        #expect(self.server.paths == ["/tenant/.well-known/openid-configuration", "/keys"])
    }

    @Test func secondPlaceIsTriedAfterTheFirst() async throws {
        let remote = try self.discovery("/tenant")
        async let fetched = self.fetch(remote)
        try await self.server.next().answer("", status: .notFound)
        try await self.server.next().answer(self.metadata("/tenant", keys: "\(self.server.url)/keys"))
        try await self.server.next().answer(self.keys)
        #expect(try await fetched.keys.keys.count == 1)
        #expect(
            self.server.paths == [
                "/tenant/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/tenant", "/keys",
            ])
    }

    @Test func failureOfBothPlacesNamesBoth() async throws {
        let remote = try self.discovery("")
        async let failed = self.failure(remote)
        try await self.server.next().answer(self.metadata("/someone-else", keys: "\(self.server.url)/keys"))
        try await self.server.next().answer("", status: .notFound)
        let failure = try #require(await failed)
        #expect(failure.contains("openid-configuration is not that of \(self.server.url)"))
        #expect(failure.contains("oauth-authorization-server answered 404"))
    }

    private static let strangeMetadata: [(String, String, String?)] = [
        ("another issuer", "{{url}}/other", "{{url}}/keys"),
        ("the issuer with a slash more", "{{url}}/", "{{url}}/keys"),
        ("keys from a file", "{{url}}", "file:///etc/passwd"),
        ("keys without a scheme", "{{url}}", "//127.0.0.1/keys"),
        ("no keys", "{{url}}", nil),
    ]

    @Test(arguments: Self.strangeMetadata)
    func metadataThatIsNotToBeUsedIsNot(row: (String, String, String?)) async throws {
        let remote = try self.discovery("")
        var members = [JSONValue.Member(name: "issuer", value: .string(self.filled(row.1)))]
        if let keys = row.2 { members.append(.init(name: "jwks_uri", value: .string(self.filled(keys)))) }
        async let failed = self.failure(remote)
        for _ in 0..<2 { try await self.server.next().answer(JSONValue.object(members)) }
        #expect(await failed != nil, "\(row.0)")
        #expect(self.server.paths.count == 2)
    }

    @Test func cleartextKeysOfAnHTTPSIssuerAreNotFetched() async throws {
        var remote = try self.discovery("")
        #expect(remote.allowsCleartext)
        remote.allowsCleartext = false
        async let failed = self.failure(remote)
        for _ in 0..<2 { try await self.server.next().answer(self.metadata("", keys: "\(self.server.url)/keys")) }
        let failure = try #require(await failed)
        #expect(failure.contains("names a jwks_uri that is not https"))
    }

    // MARK: - Helpers

    private func fetch(
        _ remote: Configuration.RemoteKeys, timeout: Int64 = 50_000_000_000
    ) async throws -> KeyFetcher.Fetched {
        try await self.fetcher.fetch(remote, timeout: timeout)
    }

    /// Why a fetch fails; nil if it does not.
    private func failure(_ remote: Configuration.RemoteKeys, timeout: Int64 = 50_000_000_000) async -> String? {
        do {
            _ = try await self.fetch(remote, timeout: timeout)
            return nil
        } catch {
            return String(describing: error)
        }
    }

    private func filled(_ text: String) -> String { text.replacing("{{url}}", with: self.server.url) }

    private func metadata(_ path: String, keys: String) -> String {
        #"{"issuer":"\#(self.server.url)\#(path)","jwks_uri":"\#(keys)"}"#
    }

    private func discovery(_ path: String) throws -> Configuration.RemoteKeys {
        try self.remote("discover: true", issuer: self.server.url + path)
    }

    private func remote(_ keys: String, issuer: String = "https://a.test") throws -> Configuration.RemoteKeys {
        let configuration = try Snapshots.configuration(
            """
            version: 1
            upstream: http://127.0.0.1:8001
            issuers: {a: {issuer: "\(issuer)", audiences: any, keys: {\(keys)}}}
            routes: {GET /: public}

            """)
        guard case .remote(let remote) = configuration.issuers[0].keys else { throw KeyServer.Ended() }
        return remote
    }
}
