import Testing

@testable import PosternCore
@testable import PosternProxy

@Suite struct TLSCheckTests {
    private static let now = 1_800_000_000.0

    private static func listener(_ certificate: String, _ key: String, _ rest: String = "") -> String {
        "upstream: unix:/s\nroutes: {GET /: public}\n"
            + "listen: {address: 127.0.0.1:1, tls: {certificate: \(certificate), key: \(key)\(rest)}}\n"
    }

    private static func service(_ tls: String) -> String {
        "upstream: {url: \"https://h\", tls: {\(tls)}}\nroutes: {GET /: public}\n"
    }

    @Test(arguments: [
        Self.listener("a.pem", "a.key"), Self.listener("a.pem", "a.key", ", client_ca: a.pem"),
        Self.service(""), Self.service("ca: a.pem, certificate: a.pem, key: a.key"),
    ])
    func goodFilesAreFine(text: String) throws {
        #expect(TLSCheck.problems(of: try TLSFixtures.configuration(text), now: Self.now).isEmpty)
    }

    @Test(arguments: [
        (Self.listener("a.pem", "b.key"), "listen[0].tls.key", "is not the key of the first certificate in \"a.pem\""),
        (Self.listener("a.pem", "encrypted.key"), "listen[0].tls.key", "is encrypted"),
        (Self.listener("a.pem", "a.pem"), "listen[0].tls.key", "holds no usable PEM private key"),
        (Self.listener("a.pem", "empty"), "listen[0].tls.key", "holds no usable PEM private key"),
        (Self.listener("a.key", "a.key"), "listen[0].tls.certificate", "holds no usable PEM certificate"),
        (Self.listener("garbage", "a.key"), "listen[0].tls.certificate", "holds no usable PEM certificate"),
        (Self.listener("empty", "a.key"), "listen[0].tls.certificate", "holds no usable PEM certificate"),
        (
            Self.listener("a.pem", "a.key", ", client_ca: a.key"), "listen[0].tls.client_ca",
            "holds no usable PEM certificate"
        ),
        (Self.service("ca: garbage"), "upstream.tls.ca", "holds no usable PEM certificate"),
        (Self.service("certificate: a.pem, key: b.key"), "upstream.tls.key", "is not the key of the first certificate"),
    ])
    func badFileIsAnErrorAtItsPlace(row: (text: String, path: String, message: String)) throws {
        let problems = TLSCheck.problems(of: try TLSFixtures.configuration(row.text), now: Self.now)
        #expect(problems.map(\.path) == [row.path])
        #expect(problems.first?.severity == .error)
        #expect(problems.first?.message.contains(row.message) == true)
        #expect((problems.first?.mark.column ?? 0) > 10)
    }

    @Test(arguments: [(4e9 * 2, "has expired"), (1e9, "is not valid yet")])
    func certificateOutOfItsTimeIsAWarning(now: Double, message: String) throws {
        let configuration = try TLSFixtures.configuration(Self.listener("a.pem", "a.key"))
        let problems = TLSCheck.problems(of: configuration, now: now)
        #expect(problems.map(\.severity) == [.warning])
        #expect(problems.first?.path == "listen[0].tls.certificate")
        #expect(problems.first?.message.contains(message) == true)
    }

    @Test func keysArePartOfWhatReloadsAndStartsCheck() throws {
        let configuration = try TLSFixtures.configuration(Self.listener("a.pem", "b.key"))
        #expect(KeyCheck.problems(of: configuration).contains { $0.path == "listen[0].tls.key" })
    }
}

@Suite struct ListenerTLSTests {
    private static func tls(_ rest: String) throws -> Configuration.ServerTLS {
        let text =
            "upstream: unix:/s\nroutes: {GET /: public}\n"
            + "listen: {address: 127.0.0.1:1, tls: {certificate: a.pem, key: a.key\(rest)}}\n"
        return try #require(try TLSFixtures.configuration(text).listen[0].tls)
    }

    @Test func sameFilesKeepTheContextAndOthersBringAnother() throws {
        let listener = try ListenerTLS(Self.tls(""))
        let first = listener.context
        try listener.adopt(Self.tls(""))
        #expect(listener.context === first)
        try listener.adopt(Self.tls(", client_ca: a.pem"))
        #expect(listener.context !== first)
    }

    @Test func badFilesChangeNothing() throws {
        let listener = try ListenerTLS(Self.tls(""))
        let first = listener.context
        var bad = try Self.tls("")
        bad.identity.privateKey.content = Secret("no key")
        #expect(throws: TLSContexts.Problem.self) { try listener.adopt(bad) }
        #expect(listener.context === first)
    }
}

@Suite struct UpstreamTLSTests {
    private static func upstream(_ text: String) throws -> UpstreamTLS {
        let upstream = try TLSFixtures.configuration("upstream: \(text)\nroutes: {GET /: public}\n").upstream
        return try UpstreamTLS(try #require(upstream.tls), upstream: upstream.mark)
    }

    @Test(arguments: [("a.test", true), ("b.test", false)])
    func nameMustBeAmongTheDNSNames(name: String, isAccepted: Bool) throws {
        let upstream = try Self.upstream("\"https://\(name)\"")
        let text = try #require(TLSFixtures.files["a.pem"])
        let file = Configuration.TLSFile(
            path: "a.pem", content: Secret(text), mark: Mark(line: 1, column: 1), key: "")
        #expect(upstream.accepts(try TLSContexts.certificates(file)[0]) == isAccepted)
        #expect(!upstream.accepts(nil))
    }

    @Test func otherFilesAreAnotherUpstream() throws {
        let plain = try Self.upstream("\"https://h\"")
        #expect(try plain == Self.upstream("{url: \"https://h\", tls: {}}"))
        #expect(try plain != Self.upstream("{url: \"https://h\", tls: {ca: a.pem}}"))
        #expect(try plain != Self.upstream("\"https://i\""))
    }
}
