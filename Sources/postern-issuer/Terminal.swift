import ArgumentParser
import Foundation
import PosternIssuer

/// What passes between a command and whoever started it.
enum Terminal {
    static var environment: IssuerEnvironment {
        IssuerEnvironment(ProcessInfo.processInfo.environment)
    }

    /// A line on standard output, written at once, also into a pipe.
    @Sendable
    static func line(_ text: String) {
        LineOutput.standard.write(text)
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
            Self.complain(failure.sentence)
            throw ExitCode(failure.exitCode)
        }
    }

    private static func complain(_ sentence: String) {
        FileHandle.standardError.write(Data("postern-issuer: \(sentence)\n".utf8))
    }
}
