import ArgumentParser
import Foundation
import Logging
import PosternIssuer

/// What passes between a command and whoever started it.
enum Terminal {
    /// Octets of a line that is read.
    private static let limit = 64 * 1024

    static var environment: IssuerEnvironment {
        IssuerEnvironment(ProcessInfo.processInfo.environment)
    }

    /// A line on standard output, written at once, also into a pipe.
    @Sendable
    static func line(_ text: String) {
        LineOutput.standard.write(text)
    }

    /// Runs a command on the store, and prints its answer.
    static func run(_ command: IssuerCommand, _ options: IssuerOptions) async throws {
        try await Self.reporting {
            let configuration = try IssuerConfiguration.resolve(options, Self.environment, for: command)
            var logger = Logger(label: "postern-issuer") { StreamLogHandler.standardError(label: $0) }
            logger.logLevel = configuration.logLevel
            let answer = try await CommandRunner(configuration, logger: logger).run(command)
            for line in answer.lines { Self.line(line) }
            if let warning = answer.warning { Self.complain(warning) }
            if answer.exitCode != 0 { throw ExitCode(answer.exitCode) }
        }
    }

    /// Runs a command, and turns what goes wrong into sentences on standard error and an exit code: 78 for a wrong
    /// configuration.
    static func reporting(_ command: () async throws -> Void) async throws {
        do {
            try await command()
        } catch let errors as ConfigurationErrors {
            for problem in errors.problems { Self.complain(problem) }
            throw ExitCode(78)
        } catch let failure as IssuerFailure {
            for sentence in failure.sentences { Self.complain(sentence) }
            throw ExitCode(failure.exitCode)
        }
    }

    /// A token, which is the first line of standard input. Throws if there is none.
    static func token() throws -> String {
        try Self.firstLine("the token")
    }

    /// A password: from POSTERN_ISSUER_PASSWORD, or the first line of standard input, which a terminal does not show.
    /// Never from an argument, which everybody on the machine can read. Throws if there is none.
    static func password() throws -> String {
        if let password = ProcessInfo.processInfo.environment["POSTERN_ISSUER_PASSWORD"], !password.isEmpty {
            return password
        }
        guard isatty(STDIN_FILENO) == 1 else { return try Self.firstLine("the password") }
        var settings = termios()
        tcgetattr(STDIN_FILENO, &settings)
        let before = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        defer {
            var before = before
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        }
        Self.write("password: ")
        defer { Self.write("\n") }
        return try Self.firstLine("the password")
    }

    private static func firstLine(_ what: String) throws -> String {
        guard let line = readLine(strippingNewline: true), !line.isEmpty, line.utf8.count <= Self.limit else {
            throw ValidationError("\(what) is the first line of standard input")
        }
        return line
    }

    private static func complain(_ sentence: String) {
        Self.write("postern-issuer: \(sentence)\n")
    }

    private static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
