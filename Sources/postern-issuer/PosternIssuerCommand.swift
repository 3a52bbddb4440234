import ArgumentParser

/// The companion issuer's command line.
@main
struct PosternIssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-issuer",
        abstract: "A small OAuth 2.0 issuer: registers clients and hands out tokens.",
        subcommands: [RunCommand.self, BootstrapCommand.self]
    )
}
