import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct OpenAPIEndpointTests {
    private static let path = "/openapi.json"

    @Test("The document is served for five minutes of caching, and names the issuer as its server")
    func served() async throws {
        try await TestIssuer().serve { client in
            let response = try await client.execute(uri: Self.path, method: .get)
            #expect(response.status == .ok)
            #expect(response.headers[.contentType] == "application/json")
            #expect(response.headers[.cacheControl] == "public, max-age=300")
            let json = try response.json
            #expect(json["openapi"] == .string("3.1.0"))
            #expect(json["servers"] == .array([.record([("url", .string(TestIssuer.url))])]))
            let flow = json["components"]?["securitySchemes"]?["clientToken"]?["flows"]?["clientCredentials"]
            #expect(flow?["tokenUrl"] == .string(TestIssuer.url + "/oauth/token"))
        }
    }

    @Test("A slash at the end of the issuer's URL is not doubled")
    func slash() {
        let json = APIDocument.json(issuer: "https://issuer.example/")
        #expect(json["servers"] == .array([.record([("url", .string("https://issuer.example"))])]))
    }

    @Test(
        "Whoever has the document is not sent it again",
        arguments: [
            ("%", 304), ("W/%", 304), ("\"other\", %", 304), ("*", 304), ("\"other\"", 200), ("", 200),
        ])
    func condition(_ template: String, _ status: Int) async throws {
        try await TestIssuer().serve { client in
            let tag = try #require(try await client.execute(uri: Self.path, method: .get).headers[.eTag])
            let response = try await client.execute(
                uri: Self.path, method: .get, headers: [.ifNoneMatch: template.replacing("%", with: tag)])
            #expect(response.status.code == status)
            #expect(response.headers[.eTag] == tag)
            #expect((response.body.readableBytes == 0) == (status == 304))
        }
    }

    @Test("The tag follows from the content: the same on every replica, another for another URL")
    func tag() async throws {
        let tags = try await [TestIssuer(), TestIssuer()].tags()
        #expect(tags[0] == tags[1])
        let routes = Router(context: IssuerContext.self)
        var list = RouteList(router: routes)
        OpenAPIEndpoint(issuer: IssuerURL(configured: "https://other.example")).register(in: &list)
        let other = try await Application(router: routes).test(.router) { client in
            try await client.execute(uri: Self.path, method: .get).headers[.eTag]
        }
        #expect(other != nil && other != tags[0])
    }
}

extension [TestIssuer] {
    /// The `ETag` that each serves.
    fileprivate func tags() async throws -> [String?] {
        var tags: [String?] = []
        for test in self {
            let application = Application(router: test.issuer.router())
            tags.append(
                try await application.test(.router) { client in
                    try await client.execute(uri: "/openapi.json", method: .get).headers[.eTag]
                })
        }
        return tags
    }
}
