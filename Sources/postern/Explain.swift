import ArgumentParser
import PosternProxy

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every step of the decision about a request.",
        discussion: """
            The request goes through the very functions that the proxy uses; nothing is sent to the service. With \
            --token the token is verified, with keys that are fetched from its issuer if need be. With --claims no \
            signature is checked, and iss, aud and exp may be left out. Neither tokens nor query strings are printed.

            postern explain GET /api/v1/trades --claims '{"sub": "u1", "scope": "trade:read account:read"}'
            """)

    @Argument(help: "The method: GET, POST, …")
    var method: String

    @Argument(help: "The path, perhaps with a query; or a whole URL.")
    var path: String

    @Option(help: "The bearer token; - reads it from standard input.")
    var token: String?

    @Option(help: "Claims of a caller as a JSON object, in place of a token; - reads them from standard input.")
    var claims: String?

    @Option(
        name: [.customLong("header"), .customShort("H")],
        help: ArgumentHelp("A header of the request; may be repeated.", valueName: "Name: value"))
    var headers: [String] = []

    @OptionGroup var configurationOption: ConfigurationOption
    @OptionGroup var formatOption: FormatOption

    func run() async throws {
        let request: ExplainRequest
        do throws(ExplainRequest.Problem) {
            request = try ExplainRequest(
                method: self.method, target: self.path, headers: self.headers, token: Self.value(self.token),
                claims: Self.value(self.claims))
        } catch {
            throw ValidationError(error.message)
        }
        try await ExplainCommand.run(
            path: self.configurationOption.path, request: request, format: self.formatOption.format
        ).finish()
    }

    /// The argument, or what standard input holds where it is `-`.
    private static func value(_ argument: String?) -> String? {
        guard argument == "-" else { return argument }
        var text = ""
        while let line = readLine() { text += line }
        return text
    }
}
