import PosternCore

extension Schema {
    /// RFC 9457.
    static let problem = Schema.object([
        .required("type", Schema.string.format("uri").pattern("^urn:postern:problem:[a-z_]+$")),
        .required("title", Schema.string.length(1...64)),
        .required("status", .integer(400...599)),
        .required("detail", Schema.string.length(1...8192).described("One sentence that the caller can act on.")),
        .required("code", Schema.string.pattern("^[a-z_]+$").described("For programs; the last part of `type`.")),
        .required("request_id", Schema.string.length(1...64).described("As in the issuer's log.")),
        .optional(
            "errors",
            Schema.array(
                of: .object([.required("field", .string), .required("detail", Schema.string.length(1...8192))])
            )
            .described("With `invalid_fields`: every field that is wrong.")),
    ])

    /// RFC 6749 section 5.2.
    static let oauthError = Schema.object([
        .required("error", Schema.string.pattern("^[a-z_]+$")),
        .required("error_description", Schema.string.length(1...1024)),
    ])
}

extension [APIAnswer] {
    /// Of every operation that needs the store.
    static let storeFailure: [APIAnswer] = [
        .problem(500, "internal_error", "The store or the cryptography failed."),
        .problem(503, "store_unavailable", "The store does not answer."),
    ]

    /// Of every operation that computes a password's hash.
    static let passwordWork: [APIAnswer] = [
        .problem(503, "overloaded", "Too many passwords are to be checked at once.", headers: [.retryAfter])
    ]

    /// Of every operation that reads a JSON body.
    static let jsonBody: [APIAnswer] =
        [
            .problem(400, "malformed_body", "The body is not a JSON object, or has a member twice."),
            .problem(413, "body_too_large", "The body is longer than \(FieldReader.limit) octets."),
            .problem(415, "unsupported_media_type", "The body is not `application/json`."),
        ] + .fields

    /// Of every operation whose fields or parameters may be wrong.
    static let fields: [APIAnswer] = [
        .problem(422, "invalid_fields", "A field is missing, unknown or wrong; `errors` names each.")
    ]

    /// Of every operation behind `AdminGate`.
    static let gate: [APIAnswer] =
        .bearer + [
            .problem(
                403, "insufficient_scope", "The token's holder may not do this.", headers: [.bearerChallenge])
        ]

    /// Of every operation that wants a bearer token.
    static let bearer: [APIAnswer] = [
        .problem(401, "missing_token", "There is no token.", headers: [.bearerChallenge]),
        .problem(
            401, "invalid_request", "The Authorization header is not one Bearer token.", headers: [.bearerChallenge]),
        .problem(401, "invalid_token", "The token is invalid, expired or revoked.", headers: [.bearerChallenge]),
    ]

    /// 404 of a path with a parameter.
    static func notFound(_ what: String) -> [APIAnswer] {
        [.problem(404, "not_found", "There is no such \(what).")]
    }

    /// 409.
    static func exists(_ description: String) -> [APIAnswer] {
        [.problem(409, "already_exists", description)]
    }
}
