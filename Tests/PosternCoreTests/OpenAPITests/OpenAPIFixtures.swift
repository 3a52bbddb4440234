import Testing

@testable import PosternCore

/// Documents written as JSON, with `'` for quotes.
enum Document {
    /// Schemes of every kind.
    static let schemes = """
        'components': {'securitySchemes': {
            'oauth': {'type': 'oauth2', 'flows': {}}, 'oidc': {'type': 'openIdConnect', 'openIdConnectUrl': 'https://i.test'},
            'bearer': {'type': 'http', 'scheme': 'Bearer'}, 'basic': {'type': 'http', 'scheme': 'basic'},
            'key': {'type': 'apiKey', 'in': 'header', 'name': 'X-Key'}, 'tls': {'type': 'mutualTLS'},
            'old': {'type': 'apiKey', 'in': 'header', 'name': 'authorization'}}}
        """

    /// A document of version 3.1 with these members besides.
    static func text(_ members: String) -> String {
        "{'openapi': '3.1.0', 'info': {'title': 'T', 'version': '1'}, \(members)}"
    }

    static func read(
        _ text: String, basePath: String? = nil
    ) -> Result<ServiceDescription, ConfigurationProblems> {
        let json = String(text.map { $0 == "'" ? "\"" : $0 })
        return MarkedJSON.read(Array(json.utf8), maximumDepth: 64, maximumNodes: 100_000)
            .flatMap { ServiceDescription.read($0, basePath: basePath) }
    }

    /// The problems of a document, a line each.
    static func problems(_ text: String) -> [String] {
        switch Self.read(text) {
        case .success: []
        case .failure(let problems): problems.problems.map { $0.line(file: "d") }
        }
    }

    /// The routes of a document: `GET /x: public`.
    static func routes(_ text: String, basePath: String? = nil, silent: Access = .required(Requirement())) throws
        -> [String]
    {
        try Self.draft(text, basePath: basePath, silent: silent).routes.map(Self.line)
    }

    static func line(_ route: PolicyDraft.Route) -> String {
        "\(PolicyText.key(route.pattern.text)): \(PolicyText.rule(route.access))"
    }

    static func draft(
        _ text: String, basePath: String? = nil, silent: Access = .required(Requirement())
    ) throws -> PolicyDraft {
        try PolicyDraft(try Self.read(text, basePath: basePath).get(), silent: silent)
    }

    /// A document with one operation, `GET /x`, that has this `security`.
    static func securing(_ security: String) -> String {
        self.text("'paths': {'/x': {'get': {'security': \(security)}}}, \(self.schemes)")
    }

    /// A document with a GET at each of these paths, public unless a scope is named: `/x=scope`.
    static func paths(_ paths: [String], method: String = "get") -> String {
        let members = paths.map { path in
            let parts = path.split(separator: "=").map(String.init)
            let security = parts.count > 1 ? "[{'oauth': ['\(parts[1])']}]" : "[]"
            return "'\(parts[0])': {'\(method)': {'security': \(security)}}"
        }
        return self.text("'paths': {\(members.joined(separator: ", "))}, \(self.schemes)")
    }
}
