import PosternCore
import Testing

@Suite struct HealthRequestTests {
    @Test("the whole request, to the byte: it says what it is, and nothing of a client or an identity")
    func bytes() {
        let request = HealthRequest.bytes(path: "/health?deep=1", authority: "service:8001", version: "1.2.3")
        #expect(
            String(decoding: request, as: UTF8.self)
                == "GET /health?deep=1 HTTP/1.1\r\nHost: service:8001\r\nUser-Agent: postern-health/1.2.3\r\n"
                + "Accept: */*\r\nConnection: close\r\n\r\n")
    }

    @Test(
        "the authority has no port where the scheme has it, and brackets around an IPv6 address",
        arguments: [
            ("h", 8001, false, "h:8001"), ("h", 80, false, "h"), ("h", 443, false, "h:443"), ("h", 443, true, "h"),
            ("h", 80, true, "h:80"), ("::1", 8001, false, "[::1]:8001"), ("fd00::5", 443, true, "[fd00::5]"),
        ])
    func authority(_ host: String, _ port: Int, _ isSecured: Bool, _ expected: String) {
        #expect(HealthRequest.authority(of: host, port: port, isSecured: isSecured) == expected)
    }

    @Test("2xx and 3xx are well, and nothing else is")
    func statuses() {
        for status in 100...599 { #expect(HealthRequest.isWell(status: status) == (200...399).contains(status)) }
    }
}
