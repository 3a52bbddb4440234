import NIOCore
import NIOPosix
import NIOSSL
import PosternCore
import Testing

@testable import PosternProxy

/// One health check, against services that answer in every way.
@Suite struct HealthProbeTests {
    private static let well = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private static func probe(
        _ upstream: String, path: String = "/health", timeouts: String = "{}", names: NameDirectory = NameDirectory()
    ) throws -> HealthProbe {
        let text = "version: 1\nupstream: \(upstream)\nroutes: {GET /: public}\ntimeouts: \(timeouts)\n"
        let configuration = try TLSFixtures.configuration(text)
        let target = try UpstreamTarget(configuration.upstream, timeouts: configuration.timeouts, loops: 1)
        return HealthProbe(target, path: path, names: names, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    }

    private static func ask(_ probe: HealthProbe, milliseconds: Int64 = 5_000) async -> HealthProbe.Outcome {
        await probe.ask(until: SystemClock.monotonic + milliseconds * 1_000_000)
    }

    @Test(
        arguments: [
            (.say(Self.well), .well), (.drip(Self.well), .well),
            (.say("HTTP/1.1 204 No Content\r\n\r\n"), .well),
            (.say("HTTP/1.0 200 OK\r\n\r\nhello"), .well),
            (.say("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), .well),
            (.say("HTTP/1.1 103 Early Hints\r\n\r\n" + Self.well), .well),
            (.drip("HTTP/1.1 103 Early Hints\r\n\r\n" + Self.well), .well),
            (.say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), .failed("status 503")),
            (.say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), .failed("status 404")),
            (.say("HTTP/1.1 101 Switching Protocols\r\n\r\n"), .failed("status 101")),
            (.say("HTTP/1.1 200 OK\n\n"), .failed("the answer is not well-formed HTTP")),
            (.say("220 mail\r\n\r\n"), .failed("the answer is not well-formed HTTP")),
            (.say("HTTP/1.1 20"), .failed("the connection was closed without an answer")),
            (.close, .failed("the connection was closed without an answer")),
        ] as [(ScriptedService.Script, HealthProbe.Outcome)])
    func answerDecides(row: (ScriptedService.Script, HealthProbe.Outcome)) async throws {
        let service = try await ScriptedService(row.0)
        #expect(await Self.ask(try Self.probe("http://127.0.0.1:\(service.port)")) == row.1)
        await service.stop()
    }

    @Test("what is asked is Postern's own request, byte for byte")
    func request() async throws {
        let service = try await ScriptedService(.say(Self.well))
        #expect(await Self.ask(try Self.probe("http://127.0.0.1:\(service.port)", path: "/h?x=1")) == .well)
        #expect(
            service.heads == [
                "GET /h?x=1 HTTP/1.1\r\nHost: 127.0.0.1:\(service.port)\r\nUser-Agent: postern-health/"
                    + "\(PosternVersion.current)\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            ])
        await service.stop()
    }

    @Test("no answer in time is a failure, and the connection is not left behind")
    func silence() async throws {
        let service = try await ScriptedService(.silence)
        let outcome = await Self.ask(try Self.probe("http://127.0.0.1:\(service.port)"), milliseconds: 50)
        #expect(outcome == .failed("no answer in time"))
        await service.stop()
    }

    @Test("nobody who listens is a failure with its reason")
    func refused() async throws {
        let service = try await ScriptedService(.silence)
        await service.stop()
        #expect(await Self.ask(try Self.probe("http://127.0.0.1:\(service.port)")) == .failed("connection refused"))
        #expect(await Self.ask(try Self.probe("unix:/nowhere/socket")) == .failed("there is no such socket"))
    }

    @Test("a Unix socket is asked as it is used")
    func unixSocket() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/s"
        let service = try await ScriptedService(.say(Self.well), path: path)
        #expect(await Self.ask(try Self.probe("unix:\(path)")) == .well)
        #expect(service.heads.first?.contains("\r\nHost: localhost\r\n") == true)
        await service.stop()
    }

    @Test("over TLS the certificate must be the one that requests would accept")
    func certificates() async throws {
        let certificate = try NIOSSLCertificate(bytes: Array((TLSFixtures.files["a.pem"] ?? "").utf8), format: .pem)
        let key = try NIOSSLPrivateKey(bytes: Array((TLSFixtures.files["a.key"] ?? "").utf8), format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: [.certificate(certificate)], privateKey: .privateKey(key)))
        let service = try await ScriptedService(.say(Self.well), tls: context)
        func upstream(_ tls: String) -> String { "{url: \"https://127.0.0.1:\(service.port)\", tls: {\(tls)}}" }
        #expect(await Self.ask(try Self.probe(upstream("ca: a.pem, server_name: a.test"))) == .well)
        #expect(service.heads.count == 1)
        let another = await Self.ask(try Self.probe(upstream("ca: a.pem, server_name: b.test")))
        #expect(another == .failed("TLS: the certificate is for another name"))
        let untrusted = await Self.ask(try Self.probe(upstream("server_name: a.test")))
        #expect(untrusted == .failed("TLS: the certificate is not by a trusted authority"))
        #expect(service.heads.count == 1, "nothing is asked before the certificate is good")
        await service.stop()
    }
}
