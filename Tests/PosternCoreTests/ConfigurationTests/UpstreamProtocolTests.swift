import Testing

@testable import PosternCore

/// What `upstream.protocol` comes to mean.
@Suite struct UpstreamProtocolTests {
    private static func loaded(_ upstream: String) throws -> LoadedConfiguration {
        try World.load("{upstream: \(upstream)}").get()
    }

    @Test(arguments: [
        ("unix:/s", Configuration.ApplicationProtocol.http1), ("{url: unix:/s}", .http1),
        ("{url: unix:/s, protocol: http1}", .http1), ("{url: unix:/s, protocol: h2}", .h2),
        ("{url: \"https://h\", protocol: auto}", .auto),
    ])
    func isWhatIsWritten(_ upstream: String, _ expected: Configuration.ApplicationProtocol) throws {
        #expect(try Self.loaded(upstream).configuration.upstream.applicationProtocol == expected)
    }

    @Test("without TLS nobody says what is spoken: auto is then HTTP/1.1, and whoever writes it is told")
    func autoWithoutTLS() throws {
        let path = "upstream.protocol"
        let cleartext = try Self.loaded("{url: \"http://h\", protocol: auto}").warnings.filter { $0.path == path }
        #expect(cleartext.map(\.message).allSatisfy { $0.contains("means http1 here") } && cleartext.count == 1)
        for fine in ["{url: \"https://h\", protocol: auto}", "{url: \"http://h\", protocol: h2}", "unix:/s"] {
            #expect(try Self.loaded(fine).warnings.filter { $0.path == path }.isEmpty)
        }
    }

    @Test func anotherProtocolIsAnotherUpstream() throws {
        let http1 = try Self.loaded("{url: unix:/s}").configuration.upstream
        let h2 = try Self.loaded("{url: unix:/s, protocol: h2}").configuration.upstream
        #expect(http1 != h2)
    }

    @Test func thePolicyShowsIt() throws {
        let own = try World.configuration("{upstream: {url: unix:/s, protocol: h2}}").effectivePolicy()
        #expect(own.split(separator: "\"").contains("h2"))
        let other = try World.configuration("{upstream: unix:/s}").effectivePolicy()
        #expect(other.split(separator: "\"").contains("http1"))
        let route = try Self.loaded("{url: unix:/s, protocol: h2}").configuration.upstream.routePolicy
        #expect(route["url"]?.string == "unix:/s" && route["protocol"]?.string == "h2")
    }
}
