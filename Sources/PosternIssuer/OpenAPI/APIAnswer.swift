import PosternCore

/// One answer that an operation gives. Several of one status become one response object that allows each.
struct APIAnswer: Sendable {
    var status: Int
    /// When it is given.
    var description: String
    var headers: [APIHeader] = []
    /// Nil: there is no body.
    var content: APIContent?

    /// A JSON document.
    static func json(
        _ status: Int, _ description: String, _ schema: Schema, type: String = "application/json",
        headers: [APIHeader] = [.notStored]
    ) -> APIAnswer {
        APIAnswer(
            status: status, description: description, headers: headers,
            content: APIContent(type: type, kind: .document(schema)))
    }

    /// No body.
    static func empty(_ status: Int, _ description: String, headers: [APIHeader] = []) -> APIAnswer {
        APIAnswer(status: status, description: description, headers: headers)
    }

    /// An error in the form of RFC 9457 with this `code`.
    static func problem(
        _ status: Int, _ code: String, _ description: String, headers: [APIHeader] = []
    ) -> APIAnswer {
        APIAnswer(
            status: status, description: description, headers: [.notStored] + headers,
            content: APIContent(type: "application/problem+json", kind: .problem([code])))
    }

    /// An error in the form of RFC 6749 section 5.2.
    static func oauth(
        _ status: Int, _ code: OAuthError.Code, _ description: String, headers: [APIHeader] = []
    ) -> APIAnswer {
        APIAnswer(
            status: status, description: description, headers: [.notStored] + headers,
            content: APIContent(type: "application/json", kind: .oauth([code.rawValue])))
    }
}

/// The body of an answer.
struct APIContent: Sendable {
    enum Kind: Sendable {
        case document(Schema)
        /// One of these codes.
        case problem([String])
        case oauth([String])
    }

    var type: String
    var kind: Kind

    /// What the body holds.
    var schema: Schema {
        switch self.kind {
        case .document(let schema): schema
        case .problem(let codes): Schema.reference(.problem).narrowed([.optional("code", .choice(codes))])
        case .oauth(let codes): Schema.reference(.oauthError).narrowed([.optional("error", .choice(codes))])
        }
    }

    /// With the codes of `other`, where both are errors of one form.
    func joined(with other: APIContent) -> APIContent? {
        guard self.type == other.type else { return nil }
        return switch (self.kind, other.kind) {
        case (.problem(let mine), .problem(let others)):
            APIContent(type: self.type, kind: .problem(mine + others.filter { !mine.contains($0) }))
        case (.oauth(let mine), .oauth(let others)):
            APIContent(type: self.type, kind: .oauth(mine + others.filter { !mine.contains($0) }))
        default: nil
        }
    }
}

/// A header of an answer.
struct APIHeader: Sendable {
    var name: String
    var description: String
    var schema: Schema
    /// Whether every answer of this status has it.
    var isRequired = true

    /// The same on an answer that may lack it.
    var sometimes: APIHeader {
        var copy = self
        copy.isRequired = false
        return copy
    }

    var json: JSONValue {
        .record([
            ("description", .string(self.description)), ("required", .bool(self.isRequired)),
            ("schema", self.schema.json),
        ])
    }

    /// Of answers with credentials in them, and of errors.
    static let notStored = APIHeader(
        name: "Cache-Control", description: "Not to be stored.", schema: .choice(["no-store"]))
    /// Of keys, metadata and this document.
    static let cached = APIHeader(
        name: "Cache-Control", description: "How long it may be kept, in seconds.",
        schema: .choice(["public, max-age=\(MetadataEndpoints.maxAge)"]))
    /// Of 201.
    static let location = APIHeader(
        name: "Location", description: "The path of what was made.",
        schema: .string.format("uri-reference").pattern("^/"))
    /// Of 429 and 503.
    static let retryAfter = APIHeader(
        name: "Retry-After", description: "Whole seconds after which it may be tried again.",
        schema: .string.pattern("^[1-9][0-9]*$"))
    /// RFC 9110 section 8.8.3.
    static let tag = APIHeader(
        name: "ETag", description: "Changes whenever the document does.", schema: .string.pattern("^\"[^\"]+\"$"))
    /// Where a client could have authenticated by HTTP Basic.
    static let basicChallenge = APIHeader(
        name: "WWW-Authenticate", description: "RFC 7617.", schema: .string.pattern("^Basic realm="))
    /// Where a bearer token is wanted.
    static let bearerChallenge = APIHeader(
        name: "WWW-Authenticate", description: "RFC 6750 section 3.", schema: .string.pattern("^Bearer realm="))
}
