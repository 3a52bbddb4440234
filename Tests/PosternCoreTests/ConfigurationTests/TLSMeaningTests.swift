import Testing

@testable import PosternCore

/// What `tls` of a listener and of a service comes to mean.
@Suite struct TLSMeaningTests {
    private static func listener(_ tls: String) throws -> Configuration.ServerTLS {
        let text =
            "{upstream: unix:/s, listen: {address: 127.0.0.1:1, tls: {certificate: own.pem, key: own.key, \(tls)}}}"
        return try #require(try World.configuration(text).listen[0].tls)
    }

    private static func service(_ upstream: String) throws -> Configuration.ClientTLS? {
        try World.configuration("{upstream: \(upstream)}").upstream.tls
    }

    private static func file(_ path: String) throws -> Configuration.TLSFile {
        let text = try #require(World.files[path])
        return Configuration.TLSFile(
            path: path, content: Secret(text), mark: Mark(line: 9, column: 9), key: "elsewhere")
    }

    @Test func filesAreReadAndKnowTheirPlace() throws {
        let identity = try Self.listener("").identity
        #expect(try identity.certificate == Self.file("own.pem"))
        #expect(try identity.privateKey == Self.file("own.key"))
        #expect(identity.privateKey.key == "listen[0].tls.key")
        #expect(identity.privateKey.mark.column > identity.certificate.mark.column)
        #expect(!"\(identity)".contains("a key"))
    }

    @Test func clientsAreAskedAsWritten() throws {
        let authorities = try Self.file("public.pem")
        #expect(try Self.listener("").clients == .anonymous)
        #expect(try Self.listener("client_ca: public.pem").clients == .required(authorities))
        #expect(try Self.listener("client_ca: public.pem, client_auth: require").clients == .required(authorities))
        #expect(try Self.listener("client_ca: public.pem, client_auth: request").clients == .requested(authorities))
    }

    @Test func listenerWithoutTLSHasNone() throws {
        #expect(try World.configuration("{upstream: unix:/s, listen: 127.0.0.1:1}").listen[0].tls == nil)
    }

    @Test(arguments: [
        ("\"https://h.test\"", "h.test"), ("\"https://10.0.0.1\"", nil), ("\"https://[::1]:1\"", nil),
        ("{url: \"https://10.0.0.1\", tls: {server_name: s.test}}", "s.test"),
        ("{url: \"https://h.test\", tls: {server_name: s.test}}", "s.test"),
    ])
    func nameThatIsCheckedIsTheGivenOneOrTheHost(upstream: String, name: String?) throws {
        #expect(try #require(try Self.service(upstream)).serverName == name)
    }

    @Test(arguments: ["unix:/s", "\"http://h\""])
    func serviceWithoutHTTPSHasNoTLS(upstream: String) throws {
        #expect(try Self.service(upstream) == nil)
    }

    @Test func portOfHTTPSIs443() throws {
        #expect(try World.configuration("{upstream: \"https://h\"}").upstream.address == .host("h", port: 443))
    }

    @Test func servicesAreTheSameOnlyWithTheSameTLS() throws {
        let plain = try World.configuration("{upstream: \"https://h\"}").upstream
        let other = try World.configuration("{upstream: {url: \"https://h\", tls: {ca: public.pem}}}").upstream
        #expect(plain != other)
    }

    @Test func everyFileIsNamed() throws {
        let configuration = try World.configuration(
            "{upstream: {url: \"https://h\", tls: {ca: public.pem}}, routes: {GET /: public}, "
                + "listen: {address: 127.0.0.1:1, tls: {certificate: own.pem, key: own.key, client_ca: public.pem}}}")
        #expect(configuration.tlsFiles.map(\.path) == ["own.pem", "own.key", "public.pem", "public.pem"])
    }
}
