public import ArgumentParser
public import PosternProxy

/// The command line of the sidecar. Wiring only: what a command does is in PosternProxy.
@main
struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A sidecar that authenticates and authorizes every request before your service sees it.",
        discussion: """
            Without a command it runs the proxy. Exit codes: 0 fine; 1 the answer is no (denied, not healthy, warnings \
            with --strict); 64 usage; 78 configuration.
            """,
        version: PosternVersion.current,
        subcommands: [
            Run.self, Check.self, Explain.self, Routes.self, Import.self, Schema.self, Health.self,
        ],
        defaultSubcommand: Run.self)
}

/// `--config`, which every command takes.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: [.customLong("config"), .customShort("c")],
        help: ArgumentHelp("The configuration. (default: $POSTERN_CONFIG, else proxy.yaml)", valueName: "file"))
    var file: String?

    var path: String { ConfigurationPath.resolve(option: self.file) }
}

/// `--format`, which commands with a result take.
struct FormatOption: ParsableArguments {
    @Option(help: "text for people, json for programs.")
    var format: OutputFormat = .text
}

extension OutputFormat: ExpressibleByArgument {}

extension SilentAccess: ExpressibleByArgument {}
