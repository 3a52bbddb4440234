import ArgumentParser
import Foundation
import PosternIssuer

struct ClientCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client",
        abstract: "Registers service clients, and shows, changes and removes them.",
        subcommands: [Create.self, List.self, Show.self, Update.self, Delete.self, RotateSecret.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Registers a client, and prints it with its secret, this once.")

        @Argument(help: "1 to 128 letters, digits and . _ -")
        var clientID: String

        @OptionGroup var fields: ClientFieldOptions
        @OptionGroup var options: ChangeOptions

        func run() async throws {
            var fields = CommandFields()
            fields.set("client_id", self.clientID)
            try self.fields.apply(to: &fields)
            try await self.options.run(.client(.create(fields)))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the clients, by name.")

        @OptionGroup var page: PageOptions
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.client(.list(self.page.page)))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints one client.")

        @Argument var clientID: String
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.client(.show(self.clientID)))
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Changes what is given of a client. One that becomes inactive loses all its tokens.")

        @Argument var clientID: String
        @OptionGroup var fields: ClientFieldOptions
        @OptionGroup var options: RevokeOptions

        func run() async throws {
            var fields = CommandFields()
            try self.fields.apply(to: &fields)
            try await self.options.run(.client(.change(self.clientID, fields)))
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Removes a client with its secrets, and revokes all its tokens.")

        @Argument var clientID: String
        @OptionGroup var options: RevokeOptions

        func run() async throws {
            try await self.options.run(.client(.delete(self.clientID)))
        }
    }

    struct RotateSecret: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives a client a new secret, and prints it, this once.")

        @Argument var clientID: String

        @Option(help: "For how many seconds the old secret still works, 0 to 604800.")
        var overlapSeconds = 0

        @OptionGroup var options: ChangeOptions

        func run() async throws {
            try await self.options.run(.client(.rotateSecret(self.clientID, overlap: self.overlapSeconds)))
        }
    }
}

/// The fields of a client. What is not given stays, or is the API's default.
struct ClientFieldOptions: ParsableArguments {
    @Option var name: String?
    @Option var description: String?

    @Option(help: "true or false.")
    var isActive: Bool?

    @Option(help: "true or false.")
    var isTrusted: Bool?

    @Option(help: "Seconds, 60 to 86400.")
    var accessTokenLifetime: Int?

    @Option(help: "Seconds, 60 to 31536000.")
    var refreshTokenLifetime: Int?

    @Option var rateLimitPerMinute: Int?
    @Option var rateLimitPerHour: Int?
    @Option var contactEmail: String?

    @Option(
        name: .customLong("allowed-ips"),
        help: "Addresses and CIDR blocks it may call from, separated by commas; \"\": anywhere.")
    var allowedIPs: String?

    @Option(help: "A scope it may be given; repeat for more. All of them are to be named; \"\" alone: none.")
    var scope: [String] = []

    @Option(help: "A file with a JWK set of its public keys, for private_key_jwt; \"\": none.")
    var jwks: String?

    /// Throws if the file cannot be read or is no JSON.
    func apply(to fields: inout CommandFields) throws {
        fields.set("name", self.name)
        fields.set("description", self.description)
        fields.set("is_active", self.isActive)
        fields.set("is_trusted", self.isTrusted)
        fields.set("access_token_lifetime", self.accessTokenLifetime)
        fields.set("refresh_token_lifetime", self.refreshTokenLifetime)
        fields.set("rate_limit_per_minute", self.rateLimitPerMinute)
        fields.set("rate_limit_per_hour", self.rateLimitPerHour)
        fields.set("contact_email", self.contactEmail)
        fields.set("allowed_ips", self.allowedIPs)
        fields.set("scope_ids", list: self.scope)
        if let path = self.jwks {
            if path.isEmpty { return fields.setNull("jwks") }
            guard let text = try? String(contentsOfFile: path, encoding: .utf8), fields.set("jwks", json: text) else {
                throw ValidationError("--jwks: \(path) cannot be read, or is no JSON")
            }
        }
    }
}
