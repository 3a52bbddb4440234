/// Writes the answers that Postern gives itself: a problem document (RFC 9457) and its head; to a gRPC call the head alone,
/// as a trailers-only answer (`Answer+GRPC`).
public struct Answer: Sendable {
    private let realm: String

    /// - Parameter realm: what challenges name (RFC 6750 section 3).
    public init(realm: String) {
        self.realm = realm
    }

    /// Head and body, complete.
    ///
    /// - Parameters:
    ///   - requestID: the request's id, of safe characters.
    ///   - toHead: the request was HEAD: the same head, and no body.
    ///   - close: whether the connection closes after this.
    ///   - crossOrigin: lines for browsers (`CrossOrigin.refusalLines`).
    ///   - grpc: the content-type of the request if it was a gRPC call. The HTTP status is then 200; logs and metrics keep
    ///     the refusal's own.
    public func bytes(
        for refusal: Refusal, requestID: [UInt8], toHead: Bool, close: Bool, crossOrigin: [UInt8] = [],
        grpc: GRPCContentType? = nil
    ) -> [UInt8] {
        let id = String(decoding: requestID, as: UTF8.self)
        let body = grpc == nil ? Array(self.body(for: refusal, requestID: id).utf8) : []
        let crossOrigin = String(decoding: crossOrigin, as: UTF8.self)
        var head = grpc == nil ? "\(refusal.code.status) \(refusal.code.reasonPhrase)\r\n" : "200 OK\r\n"
        head = "HTTP/1.1 \(head)Content-Type: \(grpc?.rawValue ?? "application/problem+json")\r\n"
        head += "Content-Length: \(body.count)\r\n"
        if grpc != nil { head += Self.statusLines(for: refusal, crossOrigin: crossOrigin) }
        head += "Cache-Control: no-store\r\n"
        head += "X-Request-Id: \(id)\r\n"
        if let challenge = self.challenge(for: refusal) { head += "WWW-Authenticate: \(challenge)\r\n" }
        if refusal.code == .methodNotAllowed { head += "Allow: \(refusal.allow.joined(separator: ", "))\r\n" }
        if refusal.code.status == 503 { head += "Retry-After: 1\r\n" }
        head += crossOrigin
        if close { head += "Connection: close\r\n" }
        head += "\r\n"
        return toHead ? Array(head.utf8) : Array(head.utf8) + body
    }

    /// The problem document.
    func body(for refusal: Refusal, requestID: String) -> String {
        var members: [JSONValue.Member] = [
            .init(name: "type", value: .string("urn:postern:problem:\(refusal.code.rawValue)")),
            .init(name: "title", value: .string(refusal.code.title)),
            .init(name: "status", value: .number(Double(refusal.code.status), text: "\(refusal.code.status)")),
            .init(name: "detail", value: .string(refusal.detail)),
            .init(name: "code", value: .string(refusal.code.rawValue)),
            .init(name: "request_id", value: .string(requestID)),
        ]
        if let required = refusal.required {
            members.append(.init(name: "required", value: Self.json(required)))
        }
        return JSONValue.object(members).serialized()
    }

    private static func json(_ required: Requirement) -> JSONValue {
        func list(_ name: String, _ values: [String]) -> [JSONValue.Member] {
            values.isEmpty ? [] : [.init(name: name, value: .array(values.sorted().map { .string($0) }))]
        }
        return .object(
            list("scopes", required.scopes) + list("any_scope", required.anyScope) + list("roles", required.roles)
                + list("claims", required.claims.map(\.name)))
    }

    /// The challenge of RFC 6750 section 3, where the code has one. Without an error code where no credential came
    /// (section 3.1).
    func challenge(for refusal: Refusal) -> String? {
        let realm = "Bearer realm=\"\(Self.quoted(self.realm))\""
        switch refusal.code {
        case .missingToken:
            return realm
        case .invalidRequest, .invalidToken:
            return "\(realm), error=\"\(refusal.code.rawValue)\", error_description=\"\(Self.quoted(refusal.detail))\""
        case .insufficientScope:
            let required = refusal.required ?? Requirement()
            let scopes = Set(required.scopes + required.anyScope).sorted().joined(separator: " ")
            return "\(realm), error=\"insufficient_scope\", scope=\"\(Self.quoted(scopes))\""
        default:
            return nil
        }
    }

    /// A quoted-string's content: only printable ASCII, `"` and `\` made harmless (RFC 6750 section 3 allows neither).
    private static func quoted(_ text: String) -> String {
        String(
            decoding: text.utf8.map { byte in
                byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                    ? UInt8(ascii: "'") : byte
            }, as: UTF8.self)
    }
}
