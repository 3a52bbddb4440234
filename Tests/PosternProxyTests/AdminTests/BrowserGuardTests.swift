import NIOHTTP1
import Testing

@testable import PosternProxy

@Suite struct BrowserGuardTests {
    // MARK: - Host

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:9901", "10.42.0.7:9901", "[::1]", "[::1]:9901", "[fd00::7]:9901", "localhost",
        "LOCALHOST:9901", "localhost.", "postern", "postern:9901", "mt5.localhost", "mt5.default.svc:9901",
        "mt5.default.svc.cluster.local", "mt5.test", "mt5.corp.internal", "",
    ])
    func nameThatNoStrangerCanHaveIsKnown(host: String) {
        #expect(BrowserGuard.knowsHost(["Host": host], own: nil))
    }

    @Test(arguments: [
        "example.com", "example.com:9901", "127.0.0.1.example.com", "127.0.0.1.nip.io:9901", "localhost.example.com",
        "mytest", "atest.com", "svc.example.com", "127.0.0.1.", "10.0.0.256", "0x7f.1", "example.com.", "::1",
    ])
    func nameThatAnybodyCanPointHereIsNot(host: String) {
        let isSafe = !host.contains(".") || host == "127.0.0.1."
        #expect(BrowserGuard.knowsHost(["Host": host], own: nil) == isSafe)
    }

    @Test func ownNameIsKnown() {
        #expect(BrowserGuard.knowsHost(["Host": "Admin.example.com:9901"], own: "admin.example.COM"))
        #expect(!BrowserGuard.knowsHost(["Host": "x.admin.example.com:9901"], own: "admin.example.com"))
    }

    @Test func withoutHostItIsNoBrowserAndWithTwoItIsRefused() {
        #expect(BrowserGuard.knowsHost([:], own: nil))
        #expect(!BrowserGuard.knowsHost(HTTPHeaders([("Host", "localhost"), ("Host", "localhost")]), own: nil))
    }

    // MARK: - Origin

    @Test(
        arguments: [
            [:], ["Sec-Fetch-Site": "same-origin"], ["Sec-Fetch-Site": "none"],
            ["Origin": "http://localhost:9901"], ["Origin": "HTTP://LOCALHOST:9901"],
            ["Origin": "https://localhost:9901"],
            ["Origin": "http://localhost:9901", "Sec-Fetch-Site": "same-origin"],
        ] as [[String: String]])
    func ownPageAndProgramsMayAsk(headers: [String: String]) {
        #expect(!BrowserGuard.isCrossSite(Self.headers(headers)))
    }

    @Test(
        arguments: [
            ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"], ["Sec-Fetch-Site": "new"],
            ["Origin": "null"], ["Origin": "http://localhost"], ["Origin": "http://localhost:9902"],
            ["Origin": "http://evil.example"], ["Origin": "http://localhost:9901.evil.example"],
            ["Origin": "http://localhost:9901", "Sec-Fetch-Site": "cross-site"],
            ["Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"],
        ] as [[String: String]])
    func pageOfAnotherSiteMayNot(headers: [String: String]) {
        #expect(BrowserGuard.isCrossSite(Self.headers(headers)))
    }

    @Test func originWithoutHostIsAnother() {
        #expect(BrowserGuard.isCrossSite(["Origin": "http://localhost"]))
        #expect(!BrowserGuard.isCrossSite([:]))
    }

    private static func headers(_ pairs: [String: String]) -> HTTPHeaders {
        HTTPHeaders([("Host", "localhost:9901")] + pairs.map { ($0.key, $0.value) })
    }

    // MARK: - Content-Type

    @Test(arguments: [
        ("application/json", true), ("Application/JSON", true), ("application/json; charset=utf-8", true),
        ("application/json ;x", true), ("text/plain", false), ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; application/json", false), ("application/jsonx", false), ("", false),
    ])
    func onlyJSONIsJSON(row: (String, Bool)) {
        #expect(BrowserGuard.isJSON(["Content-Type": row.0]) == row.1)
    }

    @Test func noTypeOrTwoAreNotJSON() {
        #expect(!BrowserGuard.isJSON([:]))
        #expect(
            !BrowserGuard.isJSON(HTTPHeaders([("Content-Type", "application/json"), ("Content-Type", "text/plain")])))
    }
}
