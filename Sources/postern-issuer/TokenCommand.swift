import ArgumentParser
import PosternIssuer

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Issues a token for a client, and inspects and revokes tokens.",
        subcommands: [Issue.self, Inspect.self, Revoke.self]
    )

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Signs a token for a client as the token endpoint would, and prints its answer.")

        @Option(help: "The client_id.")
        var client: String

        @Option(help: "Scopes separated by spaces (default: all that the client has).")
        var scope: String?

        @Option(help: "The URL of the issuer, as the server has it.")
        var issuer: String?

        @Option(help: "A service that accepts the token, as the server has it; repeat for more.")
        var audience: [String] = []

        @OptionGroup var options: ChangeOptions

        func run() async throws {
            try await self.options.run(.token(.issue(client: self.client, scope: self.scope))) { options in
                options.issuer = self.issuer
                options.audience = self.audience
            }
        }
    }

    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says what the token on standard input is worth; ends with 1 if that is nothing.")

        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.token(.inspect(try Terminal.token())))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revokes the token on standard input; a refresh token ends its session.")

        @OptionGroup var options: RevokeOptions

        func run() async throws {
            try await self.options.run(.token(.revoke(try Terminal.token())))
        }
    }
}

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Shows who was given, refused or changed what.",
        subcommands: [Tail.self]
    )

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the last entries, a line each, oldest first.")

        @Option(name: .shortAndLong, help: "How many, 1 to 10000.")
        var number = 20

        @OptionGroup var options: ReadOptions

        func validate() throws {
            guard (1...10_000).contains(self.number) else { throw ValidationError("--number is 1 to 10000") }
        }

        func run() async throws {
            try await self.options.run(.tailAudit(self.number))
        }
    }
}
