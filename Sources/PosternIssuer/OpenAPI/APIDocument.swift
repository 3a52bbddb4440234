import HTTPTypes
import PosternCore

/// The OpenAPI 3.1 description of everything that the issuer serves.
enum APIDocument {
    /// Every operation. The router has exactly these: a test compares them.
    static let operations: [APIOperation] =
        APIOperation.tokens + APIOperation.revocation + APIOperation.introspection + APIOperation.login
        + APIOperation.clients + APIOperation.serviceKeys + APIOperation.users + APIOperation.metadata

    private static let description = """
        Registers clients, hands out access tokens (RFC 9068), introspects and revokes them.

        Errors of `/oauth/*` and `/api/v1/auth/service-token` have the form of RFC 6749 section 5.2, all others that of \
        RFC 9457. Every path answers other methods than its own with 405 and `Allow`, every GET path also HEAD; any \
        other path is 404. A JSON body has no members but those named here.
        """

    /// The document for an issuer with this URL.
    static func json(issuer: String) -> JSONValue {
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        return .record([
            ("openapi", .string("3.1.0")),
            ("info", self.info),
            ("servers", .array([.record([("url", .string(base))])])),
            ("tags", .array(APITag.allCases.map(self.tag))),
            ("paths", self.paths),
            (
                "components",
                .record([
                    ("schemas", .record(Component.allCases.map { ($0.rawValue, $0.schema.json) })),
                    ("securitySchemes", APISecurity.schemes(base: base)),
                ])
            ),
        ])
    }

    private static var info: JSONValue {
        .record([
            ("title", .string("postern-issuer")), ("version", .string("1")),
            ("summary", .string("A small OAuth 2.0 issuer, the companion of Postern.")),
            ("description", .string(self.description)),
        ])
    }

    private static func tag(_ tag: APITag) -> JSONValue {
        .record([("name", .string(tag.rawValue)), ("description", .string(tag.description))])
    }

    private static var paths: JSONValue {
        var paths: [String] = []
        for operation in self.operations where !paths.contains(operation.path) { paths.append(operation.path) }
        return .record(
            paths.map { path in
                let here = self.operations.filter { $0.path == path }
                return (path, .record(here.map { ($0.method.rawValue.lowercased(), $0.json) }))
            })
    }
}
