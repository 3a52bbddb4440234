import ArgumentParser
import PosternIssuer

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Shows the signing keys, and makes the next one.",
        subcommands: [List.self, Rotate.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the signing keys with their state: next, current or retired.")

        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.key(.list))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the next signing key: it is published now, and signs 6 minutes later.")

        @OptionGroup var algorithm: AlgorithmOption
        @OptionGroup var options: ChangeOptions

        func run() async throws {
            try await self.options.run(.key(.rotate)) { $0.algorithm = self.algorithm.algorithm }
        }
    }
}

struct ServiceKeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service-key",
        abstract: "Makes the keys with which services introspect, shows and revokes them.",
        subcommands: [Create.self, List.self, Revoke.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a key, and prints it, this once.")

        @Argument(help: "1 to 64 letters, digits and . _ -")
        var name: String

        @Option var description: String?
        @OptionGroup var options: ChangeOptions

        func run() async throws {
            var fields = CommandFields()
            fields.set("name", self.name)
            fields.set("description", self.description)
            try await self.options.run(.serviceKey(.create(fields)))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints all keys, revoked ones as well.")

        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.serviceKey(.list))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes the active key of that name, at once.")

        @Argument var name: String
        @OptionGroup var options: ChangeOptions

        func run() async throws {
            try await self.options.run(.serviceKey(.revoke(self.name)))
        }
    }
}
