import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore

/// Starts one service, prints where it listens, and stops it on SIGTERM or SIGINT.
enum DemoService {
    static func serve(
        _ name: String, on listen: ListenOptions, routes register: (inout RouteList) -> Void
    ) async throws {
        var logger = Logger(label: "trading-demo") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let router = Router(context: DemoContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: FailureMiddleware())
        var routes = RouteList(router: router)
        register(&routes)
        routes.refuseOtherMethods()
        let host = listen.host
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(host, port: listen.port)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? listen.port
                Self.write("trading-demo \(name) listening on \(host.contains(":") ? "[\(host)]" : host):\(port)\n")
            },
            logger: logger
        )
        do {
            try await application.runService()
        } catch {
            let busy = (error as? IOError)?.errnoCode == EADDRINUSE
            let reason = busy ? "another process already listens there" : "\(error)"
            let sentence = "trading-demo \(name): cannot listen on \(host):\(listen.port): \(reason)\n"
            FileHandle.standardError.write(Data(sentence.utf8))
            throw ExitCode.failure
        }
    }

    /// Straight to the file descriptor: whoever waits for the line must see it at once, also through a pipe.
    private static func write(_ line: String) {
        FileHandle.standardOutput.write(Data(line.utf8))
    }
}
