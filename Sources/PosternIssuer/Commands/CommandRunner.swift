public import Logging
import PosternCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs one command on a store.
public struct CommandRunner: Sendable {
    /// How long Redis is given to take what was revoked, in seconds.
    private static let patience = 5.0
    private static let pause = 0.1

    private let configuration: IssuerConfiguration
    private let logger: Logger
    private let clock: IssuerClock
    private let passwords: PasswordHasher

    public init(_ configuration: IssuerConfiguration, logger: Logger) {
        self.init(configuration, logger: logger, clock: .system, passwords: PasswordHasher())
    }

    init(
        _ configuration: IssuerConfiguration, logger: Logger, clock: IssuerClock, passwords: PasswordHasher
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.passwords = passwords
    }

    /// Does it. Throws `IssuerFailure`.
    public func run(_ command: IssuerCommand) async throws -> CommandAnswer {
        umask(0o077)
        do {
            let issuer = try await self.open()
            let publisher = issuer.revocations.publisher
            // Before the command: what it revokes waits for a publisher that works.
            let publishing = publisher.map { publisher in Task { try await publisher.run() } }
            let result: Result<CommandAnswer, any Error>
            do {
                var answer = try await self.answer(command, issuer)
                try await issuer.audit.flush()
                if let publisher { answer.warning = await self.publish(publisher) }
                result = .success(answer)
            } catch {
                result = .failure(error)
            }
            publishing?.cancel()
            _ = await publishing?.result
            await issuer.store.close()
            return try result.get()
        } catch {
            throw IssuerFailure(command: error)
        }
    }

    private func open() async throws -> Issuer {
        if case .sqlite(let path) = self.configuration.store.location, access(path, F_OK) != 0 {
            throw IssuerStartError.store("\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        let file = try self.configuration.audit.path.map { path in try LineOutput(appendingTo: path) }
        return try await Issuer.openForCommand(
            self.configuration, clock: self.clock, logger: self.logger, auditLines: { file?.write($0) },
            passwords: self.passwords)
    }

    private func answer(_ command: IssuerCommand, _ issuer: Issuer) async throws -> CommandAnswer {
        let commands = Commands(issuer: issuer, algorithm: self.configuration.store.algorithm)
        return switch command {
        case .client(let operation): try await commands.client(operation)
        case .user(let operation): try await commands.user(operation)
        case .serviceKey(let operation): try await commands.serviceKey(operation)
        case .key(let operation): try await commands.key(operation)
        case .token(let operation): try await commands.token(operation)
        case .tailAudit(let count): try await commands.tailAudit(count)
        }
    }

    /// Brings what is not published yet to Redis. Gives what the operator should know if that did not work.
    private func publish(_ publisher: RevocationPublisher) async -> String? {
        var isPublished = await publisher.publish()
        var waited = 0.0
        while !isPublished, waited < Self.patience {
            try? await self.clock.sleep(Self.pause)
            waited += Self.pause
            isPublished = await publisher.publish()
        }
        if isPublished { return nil }
        return "Redis did not take the revocations: they are stored, and published by the next server that reaches it"
    }
}

/// What the commands have in common.
struct Commands: Sendable {
    let issuer: Issuer
    /// Nil: none was asked for.
    let algorithm: SignatureAlgorithm?

    func audit(_ action: AuditEntry.Action) -> AuditEntry {
        AuditEntry(time: self.issuer.clock.now(), action: action, isAllowed: true, actor: "command")
    }

    /// Gives what the store refuses its sentence.
    func answer(
        missing: String, exists: String, _ body: () async throws -> JSONValue
    ) async throws -> CommandAnswer {
        do {
            return Self.answer(try await body())
        } catch StoreRefusal.missing {
            throw CommandRefusal(sentences: [missing])
        } catch StoreRefusal.exists {
            throw CommandRefusal(sentences: [exists])
        }
    }

    /// One JSON document.
    static func answer(_ value: JSONValue) -> CommandAnswer {
        CommandAnswer(lines: [value.serialized()])
    }

    /// A part of a list, as the API gives it.
    static func page<Item>(_ page: Page<Item>, _ json: (Item) -> JSONValue) -> JSONValue {
        .record([("items", .array(page.items.map(json))), ("next", page.next.map { .string($0) } ?? .null)])
    }
}

/// Why a command did not do what it was asked for; each sentence without its end.
struct CommandRefusal: Error, Equatable {
    var sentences: [String]

    /// Field by field.
    init(_ problem: Problem) {
        let fields = problem.errors.compactMap { error in
            error["field"]?.string.flatMap { field in error["detail"]?.string.map { "\(field) \($0)" } }
        }
        self.sentences = fields.isEmpty ? [problem.detail] : fields
    }

    init(sentences: [String]) {
        self.sentences = sentences
    }
}

extension IssuerFailure {
    /// The sentences for what ended a command.
    init(command error: any Error) {
        switch error {
        case let error as CommandRefusal: self.init(sentences: error.sentences)
        case let error as Problem: self.init(sentences: CommandRefusal(error).sentences)
        case let error as TokenRefusal: self.init(sentences: [OAuthError(error, challenge: false).description])
        default: self.init(error)
        }
    }
}
