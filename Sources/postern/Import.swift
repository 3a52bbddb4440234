import ArgumentParser
import PosternProxy

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a policy of what a service says of itself.", subcommands: [ImportOpenAPI.self])
}

struct ImportOpenAPI: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi",
        abstract: "Make the routes of a proxy.yaml from an OpenAPI document.",
        discussion: """
            Reads OpenAPI 3.0 to 3.2 and Swagger 2.0, in JSON or YAML. Every operation gets a route with what the \
            document asks of its callers. Where the document is silent, or asks for something that a policy cannot say, \
            the route is the stricter one and has a comment.

            With --upstream, --issuer and --audience the result is a whole proxy.yaml, without them its section routes.

            postern import openapi openapi.json --upstream http://127.0.0.1:8001 --issuer https://issuer.example \
            --audience mt5-api --output proxy.yaml
            """)

    @Argument(help: "The document; - reads it from standard input.")
    var file: String

    @Option(
        help: ArgumentHelp(
            "What stands before every path, instead of the path of the document's first server.", valueName: "path"))
    var basePath: String?

    @Option(help: "What an operation needs of which the document says nothing: deny, authenticated or public.")
    var silent: SilentAccess = .authenticated

    @Option(help: ArgumentHelp("Of a whole proxy.yaml: the service.", valueName: "url"))
    var upstream: String?

    @Option(help: ArgumentHelp("Of a whole proxy.yaml: the exact iss of the tokens.", valueName: "url"))
    var issuer: String?

    @Option(
        help: ArgumentHelp(
            "Of a whole proxy.yaml: the aud that tokens must have, or any; may be repeated.", valueName: "name"))
    var audience: [String] = []

    @Option(
        help: ArgumentHelp(
            "Of a whole proxy.yaml: the issuer's keys. (default: its metadata says where)", valueName: "url"))
    var jwksURL: String?

    @Option(help: ArgumentHelp("Of a whole proxy.yaml: where clients connect.", valueName: "address"))
    var listen: String?

    @Option(help: ArgumentHelp("Of a whole proxy.yaml: the service's name. (default: of the title)", valueName: "name"))
    var service: String?

    @Option(
        name: [.long, .short], help: ArgumentHelp("Write to this file, as a whole or not at all.", valueName: "file"))
    var output: String?

    @Flag(help: "Replace the file of --output.")
    var force = false

    func run() throws {
        let request: ImportRequest
        do throws(ImportRequest.Problem) {
            request = try ImportRequest(
                file: self.file, basePath: self.basePath, silent: self.silent,
                whole: .init(
                    upstream: self.upstream, issuer: self.issuer, audiences: self.audience, keys: self.jwksURL,
                    listen: self.listen, service: self.service),
                output: self.output, force: self.force)
        } catch {
            throw ValidationError(error.message)
        }
        try ImportCommand.run(request).finish()
    }
}
