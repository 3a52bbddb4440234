/// The proxy's own answer to a preflight: 204, for an allowed origin with what it may do. For another one without: a
/// browser takes the silence for a no, and nothing is said about routes.
public struct PreflightAnswer: Equatable, Sendable {
    /// Whether the origin is an allowed one.
    public let isAllowed: Bool
    /// The lines that depend on origin and rules, with their CRLF.
    public let fields: [UInt8]

    private static let vary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"

    /// For an origin that is not allowed.
    public static let silent = PreflightAnswer(isAllowed: false, fields: Array(Self.vary.utf8))

    private init(isAllowed: Bool, fields: [UInt8]) {
        self.isAllowed = isAllowed
        self.fields = fields
    }

    /// For an allowed origin.
    ///
    /// - Parameters:
    ///   - origin: as Access-Control-Allow-Origin says it.
    ///   - methods: what may be used; none: only what needs no permission (Fetch, CORS-safelisted methods).
    ///   - asked: the header names that were asked for, a list of tokens.
    init(_ rules: CrossOriginRules, origin: String, methods: [String], asked: String) {
        var text = "Access-Control-Allow-Origin: \(origin)\r\n"
        if rules.credentials { text += "Access-Control-Allow-Credentials: true\r\n" }
        if !methods.isEmpty { text += "Access-Control-Allow-Methods: \(methods.joined(separator: ", "))\r\n" }
        // `*` would not do for those that are asked for: it never covers Authorization, and with credentials nothing.
        let headers = rules.headers.isEmpty ? asked : rules.headers.joined(separator: ", ")
        if !headers.isEmpty { text += "Access-Control-Allow-Headers: \(headers)\r\n" }
        text += "Access-Control-Max-Age: \(rules.maxAge)\r\n\(Self.vary)"
        self.init(isAllowed: true, fields: Array(text.utf8))
    }

    /// The whole answer. No Content-Length: a 204 has none (RFC 9110 section 8.6).
    ///
    /// - Parameters:
    ///   - requestID: the request's id, of safe characters.
    ///   - close: whether the connection closes after this.
    public func bytes(requestID: [UInt8], close: Bool) -> [UInt8] {
        var output: [UInt8] = []
        output.append("HTTP/1.1 204 No Content\r\n")
        output.append(contentsOf: self.fields)
        output.append("Cache-Control: no-store\r\nX-Request-Id: ")
        output.append(contentsOf: requestID)
        output.append(close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n")
        return output
    }
}
