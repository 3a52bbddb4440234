import PosternCore

@testable import PosternIssuer

/// The command line on the store of a test's issuer, as another process beside the server.
struct CommandLine {
    let test: TestIssuer
    var redis: RedisConfiguration?
    /// A file for the lines of the audit log.
    var auditPath: String?
    var algorithm: SignatureAlgorithm?

    init(_ test: TestIssuer) {
        self.test = test
    }

    @discardableResult
    func run(_ command: IssuerCommand) async throws -> CommandAnswer {
        var configuration = TestIssuer.configuration(self.test.folder)
        configuration.store.algorithm = self.algorithm
        configuration.redis = self.redis
        configuration.audit.path = self.auditPath
        let runner = CommandRunner(
            configuration, logger: self.test.log.logger, clock: self.test.clock.clock, passwords: .cheap)
        return try await runner.run(command)
    }

    /// The one JSON document of a command that was done.
    func json(_ command: IssuerCommand) async throws -> JSONValue {
        let answer = try await self.run(command)
        guard answer.exitCode == 0, answer.warning == nil, answer.lines.count == 1 else {
            throw Unexpected(answer: answer)
        }
        return try JSONReader.parse(Array(answer.lines[0].utf8).span.bytes)
    }

    /// The sentences of a command that was refused, with exit code 1.
    func refusal(_ command: IssuerCommand) async throws -> [String] {
        do {
            throw Unexpected(answer: try await self.run(command))
        } catch let failure as IssuerFailure where failure.exitCode == 1 {
            return failure.sentences
        }
    }

    struct Unexpected: Error {
        var answer: CommandAnswer
    }
}

extension CommandFields {
    /// Texts under their names.
    init(_ texts: [(String, String)]) {
        self.init()
        for (name, text) in texts { self.set(name, text) }
    }
}

extension JSONValue {
    /// The elements of an array; of anything else none.
    var elements: [JSONValue] {
        guard case .array(let values) = self else { return [] }
        return values
    }
}
