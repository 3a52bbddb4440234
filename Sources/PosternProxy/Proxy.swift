import Logging
import NIOCore
import NIOPosix
import PosternCore
import PosternCrypto
import PosternSystem
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The whole process behind `postern run`: loads, listens, reloads, drains.
public struct Proxy: Sendable {
    private let configurationPath: String
    private let predecessor: Int32?

    /// - Parameter predecessor: the running process whose place this one takes: both are at the same addresses until this
    ///   one is ready, then that one drains. Nil: the addresses must be free.
    public init(configurationPath: String, inPlaceOf predecessor: Int32? = nil) {
        self.configurationPath = configurationPath
        self.predecessor = predecessor
    }

    /// Runs until a signal ends it.
    ///
    /// - Returns: the exit code: 0 after a drain, 1 if an address cannot be had, the predecessor cannot be taken over or a
    ///   second signal came, 78 for a configuration with errors.
    public func run() async -> Int32 {
        // What comes between the first look at the file and the first request counts: a change of it, and signals.
        let watch = FileWatch(path: self.configurationPath)
        switch ConfigurationFile.loadUsable(path: self.configurationPath) {
        case .failure(let problems):
            Self.printErrors(problems.problems.map { $0.line(file: self.configurationPath) })
            return 78
        case .success(let loaded):
            return await self.run(loaded, watch)
        }
    }

    private func run(_ loaded: LoadedConfiguration, _ watch: FileWatch) async -> Int32 {
        // A client that is gone is an error of one write, not a signal for the process.
        signal(SIGPIPE, SIG_IGN)
        let signals = await UnixSignalsSequence(trapping: .sighup, .sigterm, .sigint, .sigusr2)
        let configuration = loaded.configuration
        let loops = configuration.eventLoops ?? UsableProcessors.count
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let predecessor: Predecessor?
        let runtime: ProxyRuntime
        do {
            predecessor = try self.predecessor.map { try Predecessor(process: $0) }
            runtime = try await ProxyRuntime(
                configuration, path: self.configurationPath, group: group, loops: loops, predecessor: predecessor)
        } catch let problem as Predecessor.Problem {
            Self.printErrors(["postern: \(problem.description)"])
            return 1
        } catch let failure as Listeners.Failure {
            Self.printErrors(["postern: \(failure.description)"])
            return 1
        } catch {
            Self.printErrors(["\(self.configurationPath): \(error)"])
            return 78
        }
        runtime.logWarnings(loaded.warnings)
        let code = await runtime.serve(signals, watch, predecessor: predecessor)
        try? await group.shutdownGracefully()
        return code
    }

    private static func printErrors(_ lines: [String]) {
        let text = lines.joined(separator: "\n") + "\n"
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            // The system call takes a pointer; it does not leave the closure.
            let written = bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
