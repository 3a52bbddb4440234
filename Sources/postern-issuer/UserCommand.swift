import ArgumentParser
import PosternIssuer

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Creates users, and shows, changes and deletes them.",
        discussion: "A user is named by user_id or by username.",
        subcommands: [Create.self, List.self, Show.self, Update.self, Delete.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Creates a user. The password is in POSTERN_ISSUER_PASSWORD, or the first line of standard input."
        )

        @Argument(help: "1 to 64 of a-z 0-9 . _ @ -")
        var username: String

        @OptionGroup var fields: UserFieldOptions
        @OptionGroup var options: ChangeOptions

        func run() async throws {
            var fields = CommandFields()
            fields.set("username", self.username)
            fields.set("password", try Terminal.password())
            self.fields.apply(to: &fields)
            try await self.options.run(.user(.create(fields)))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints the users, by user_id.")

        @OptionGroup var page: PageOptions
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.user(.list(self.page.page)))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints one user.")

        @Argument var user: String
        @OptionGroup var options: ReadOptions

        func run() async throws {
            try await self.options.run(.user(.show(self.user)))
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: """
                Changes what is given of a user. A new password, or becoming inactive, ends his sessions and tokens; \
                roles and permissions show at the next introspection.
                """)

        @Argument var user: String

        @Option(help: "Another name.")
        var username: String?

        @Flag(help: "Sets the password from POSTERN_ISSUER_PASSWORD, or from the first line of standard input.")
        var setPassword = false

        @OptionGroup var fields: UserFieldOptions
        @OptionGroup var options: RevokeOptions

        func run() async throws {
            var fields = CommandFields()
            fields.set("username", self.username)
            if self.setPassword { fields.set("password", try Terminal.password()) }
            self.fields.apply(to: &fields)
            try await self.options.run(.user(.change(self.user, fields)))
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a user: his sessions end and his tokens are revoked.")

        @Argument var user: String
        @OptionGroup var options: RevokeOptions

        func run() async throws {
            try await self.options.run(.user(.delete(self.user)))
        }
    }
}

/// The fields of a user. What is not given stays, or is the API's default.
struct UserFieldOptions: ParsableArguments {
    @Option var email: String?

    @Option(help: "true or false.")
    var emailVerified: Bool?

    @Option(help: "true or false.")
    var isActive: Bool?

    @Option(help: "true or false.")
    var isAdmin: Bool?

    @Option(help: "Repeat for more. All of them are to be named; \"\" alone: none.")
    var role: [String] = []

    @Option(help: "Repeat for more. All of them are to be named; \"\" alone: none.")
    var permission: [String] = []

    @Option(help: "An RFC 3339 time or date; never: the account does not end.")
    var expiresOn: String?

    func apply(to fields: inout CommandFields) {
        fields.set("email", self.email)
        fields.set("email_verified", self.emailVerified)
        fields.set("is_active", self.isActive)
        fields.set("is_admin", self.isAdmin)
        fields.set("roles", list: self.role)
        fields.set("permissions", list: self.permission)
        if self.expiresOn == "never" {
            fields.setNull("expires_on")
        } else {
            fields.set("expires_on", self.expiresOn)
        }
    }
}
