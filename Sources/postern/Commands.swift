import ArgumentParser
import PosternCore
import PosternProxy

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the proxy. (default)",
        discussion: """
            Signals: SIGHUP loads the configuration anew; SIGTERM and SIGINT drain, a second one ends at once; SIGUSR2 says \
            that another process has taken over, and drains.

            With --take-over a new version, or a configuration that needs a restart, comes into force without a refused \
            connection: the new process shares the addresses of the old one once it can serve, and then has it drain. \
            Should it not become ready, it ends, and the old one goes on.
            """)

    @Option(help: ArgumentHelp("Take the place of the running postern with this process id.", valueName: "pid"))
    var takeOver: Int32?

    @OptionGroup var configurationOption: ConfigurationOption

    func run() async throws {
        let proxy = Proxy(configurationPath: self.configurationOption.path, inPlaceOf: self.takeOver)
        throw ExitCode(await proxy.run())
    }
}

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration: all errors, then warnings.",
        discussion: """
            Warnings: unreachable (no request can come to the route, or nobody can meet its rule), shadowed (other routes \
            take some of its methods), suspicious (works as written; probably something else was meant).

            With --openapi the policy is held against the service's own description, too: weaker (a route lets callers \
            through whom the document keeps out), missing (no route is for an operation), surplus (a route is for \
            nothing that the document has); where a route asks for more than the document there is a note.
            """)

    @Argument(help: "The configuration; the same as --config.")
    var file: String?

    @OptionGroup var configurationOption: ConfigurationOption
    @OptionGroup var formatOption: FormatOption

    @Flag(help: "Exit with 1 if there are warnings.")
    var strict = false

    @Option(help: ArgumentHelp("The service's OpenAPI document; - reads it from standard input.", valueName: "file"))
    var openapi: String?

    @Option(
        help: ArgumentHelp(
            "With --openapi: what stands before every path, instead of the path of the document's first server.",
            valueName: "path"))
    var basePath: String?

    func validate() throws {
        if self.basePath != nil, self.openapi == nil { throw ValidationError("--base-path goes with --openapi.") }
        if self.file != nil, self.configurationOption.file != nil {
            throw ValidationError("Give FILE or --config, not both.")
        }
    }

    func run() throws {
        let path = self.file ?? self.configurationOption.path
        let document: CheckedDocument?
        do throws(ImportRequest.Problem) {
            document = try CheckedDocument(path: self.openapi, basePath: self.basePath)
        } catch {
            throw ValidationError(error.message)
        }
        try CheckCommand.run(
            path: path, format: self.formatOption.format, strict: self.strict, against: document
        ).finish()
    }
}

struct Routes: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the policy as a table: which route needs what.")

    @OptionGroup var configurationOption: ConfigurationOption
    @OptionGroup var formatOption: FormatOption

    func run() throws {
        try RoutesCommand.run(path: self.configurationOption.path, format: self.formatOption.format).finish()
    }
}

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema of proxy.yaml, for editors.")

    @OptionGroup var configurationOption: ConfigurationOption

    @Flag(help: "Print the reference of all keys as a Markdown page instead.")
    var markdown = false

    func run() throws {
        let text = self.markdown ? ConfigurationLoader.markdownReference() : ConfigurationLoader.jsonSchema()
        try CommandOutput(stdout: text).finish()
    }
}

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the running proxy whether it is alive, for a container's HEALTHCHECK.")

    @OptionGroup var configurationOption: ConfigurationOption

    @Flag(help: "Ask whether it is ready for requests instead.")
    var ready = false

    func run() throws {
        try HealthCommand.run(path: self.configurationOption.path, ready: self.ready).finish()
    }
}
