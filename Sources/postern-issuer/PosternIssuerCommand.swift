import ArgumentParser

/// The companion issuer's command line.
@main
struct PosternIssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-issuer",
        abstract: "A small OAuth 2.0 issuer: registers clients and hands out tokens.",
        discussion: """
            Besides run and bootstrap, each command works on the store itself, while a server runs on it or not, and \
            prints JSON. Exit codes: 0 it was done; 1 it was refused, or the answer is no; 64 wrong usage; 78 wrong \
            configuration.
            """,
        subcommands: [
            RunCommand.self, BootstrapCommand.self, ClientCommand.self, UserCommand.self, ServiceKeyCommand.self,
            KeyCommand.self, TokenCommand.self, AuditCommand.self,
        ]
    )
}
