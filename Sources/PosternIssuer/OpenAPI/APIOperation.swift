import HTTPTypes
import PosternCore

/// One method of one path, as the document describes it.
struct APIOperation: Sendable {
    var method: HTTPRequest.Method
    /// As it is registered: parameters in braces.
    var path: String
    /// Unique in the document; a name for generated clients.
    var id: String
    var tag: APITag
    var summary: String
    var description: String?
    /// Any one of these is enough; empty: nothing is needed.
    var security: [APISecurity] = []
    var parameters: [APIParameter] = []
    var body: APIBody?
    /// Without those that each has that looks at the store.
    var answers: [APIAnswer]
    /// Whether it needs the store, which may fail.
    var usesStore = true

    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("operationId", .string(self.id)), ("tags", .strings([self.tag.rawValue])),
            ("summary", .string(self.summary)),
        ]
        if let description { members.append(("description", .string(description))) }
        members.append(("security", .array(self.security.map(\.json))))
        if !self.parameters.isEmpty { members.append(("parameters", .array(self.parameters.map(\.json)))) }
        if let body { members.append(("requestBody", body.json)) }
        let failure = self.usesStore ? [APIAnswer].storeFailure : []
        members.append(("responses", (self.answers + failure).responses))
        return .record(members)
    }
}

/// What groups the operations.
enum APITag: String, CaseIterable, Sendable {
    case tokens
    case login
    case introspection
    case clients
    case serviceKeys = "service keys"
    case users
    case metadata

    var description: String {
        switch self {
        case .tokens: "Access tokens for clients, and their end (RFC 6749, RFC 7523, RFC 7009)."
        case .login: "Users: password login, refresh tokens, the end of all sessions."
        case .introspection:
            "What a token is worth now, by the store (RFC 7662, and the form of the reference deployment)."
        case .clients: "Administration of service clients."
        case .serviceKeys: "Administration of the keys with which services introspect."
        case .users: "Administration of users."
        case .metadata: "Public keys, metadata (RFC 8414), health, this document."
        }
    }
}

/// A parameter outside the body.
struct APIParameter: Sendable {
    /// Only what is in the path is always there.
    enum Place: String, Sendable {
        case path
        case query
        case header
    }

    var name: String
    var place: Place
    var description: String
    var schema: Schema

    /// A part of the path.
    static func path(_ name: String, _ description: String, _ schema: Schema) -> APIParameter {
        APIParameter(name: name, place: .path, description: description, schema: schema)
    }

    /// One that may stand in the query.
    static func query(_ name: String, _ description: String, _ schema: Schema) -> APIParameter {
        APIParameter(name: name, place: .query, description: description, schema: schema)
    }

    /// A header of the request.
    static func header(_ name: String, _ description: String) -> APIParameter {
        APIParameter(name: name, place: .header, description: description, schema: .string)
    }

    var json: JSONValue {
        .record([
            ("name", .string(self.name)), ("in", .string(self.place.rawValue)),
            ("required", .bool(self.place == .path)), ("description", .string(self.description)),
            ("schema", self.schema.json),
        ])
    }
}

/// The body of a request: the same in each of these forms.
struct APIBody: Sendable {
    var schemas: [(type: String, schema: Schema)]
    var isRequired = true

    /// A JSON object.
    static func json(_ schema: Schema, isRequired: Bool = true) -> APIBody {
        APIBody(schemas: [("application/json", schema)], isRequired: isRequired)
    }

    /// The format of HTML forms.
    static func form(_ schema: Schema) -> APIBody {
        APIBody(schemas: [("application/x-www-form-urlencoded", schema)])
    }

    var json: JSONValue {
        .record([
            ("required", .bool(self.isRequired)),
            ("content", .record(self.schemas.map { ($0.type, .record([("schema", $0.schema.json)])) })),
        ])
    }
}
