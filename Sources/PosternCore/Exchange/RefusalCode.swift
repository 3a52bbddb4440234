/// Why Postern itself answered: the closed set of `code` values, in bodies, logs, metrics and `explain`.
public enum RefusalCode: String, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case ambiguousPath = "ambiguous_path"
    case invalidRequest = "invalid_request"
    case missingToken = "missing_token"
    case invalidToken = "invalid_token"
    case insufficientScope = "insufficient_scope"
    case accessDenied = "access_denied"
    case routeDenied = "route_denied"
    case routeNotDeclared = "route_not_declared"
    case identityTooLarge = "identity_too_large"
    case methodNotAllowed = "method_not_allowed"
    case requestTimeout = "request_timeout"
    case contentTooLarge = "content_too_large"
    case uriTooLong = "uri_too_long"
    case expectationFailed = "expectation_failed"
    case requestHeaderFieldsTooLarge = "request_header_fields_too_large"
    case notImplemented = "not_implemented"
    case httpVersionNotSupported = "http_version_not_supported"
    case issuerUnavailable = "issuer_unavailable"
    case upstreamUnavailable = "upstream_unavailable"
    case upstreamInvalidResponse = "upstream_invalid_response"
    case overloaded
    case draining
    case upstreamTimeout = "upstream_timeout"

    /// The answer's status. With `title`, the one place where a failure becomes an answer (3-behaviour, Answers).
    public var status: Int {
        switch self {
        case .badRequest, .ambiguousPath, .invalidRequest: 400
        case .missingToken, .invalidToken: 401
        case .insufficientScope, .accessDenied, .routeDenied, .routeNotDeclared, .identityTooLarge: 403
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .contentTooLarge: 413
        case .uriTooLong: 414
        case .expectationFailed: 417
        case .requestHeaderFieldsTooLarge: 431
        case .notImplemented: 501
        case .issuerUnavailable, .upstreamUnavailable, .upstreamInvalidResponse: 502
        case .overloaded, .draining: 503
        case .upstreamTimeout: 504
        case .httpVersionNotSupported: 505
        }
    }

    /// The `title` member: one short phrase, the same for every answer with this code.
    public var title: String {
        switch self {
        case .badRequest: "Malformed request"
        case .ambiguousPath: "Ambiguous path"
        case .invalidRequest: "Malformed credentials"
        case .missingToken: "Authentication required"
        case .invalidToken: "Invalid token"
        case .insufficientScope: "Insufficient scope"
        case .accessDenied: "Access denied"
        case .routeDenied: "Route denied"
        case .routeNotDeclared: "Route not declared"
        case .identityTooLarge: "Identity too large"
        case .methodNotAllowed: "Method not allowed"
        case .requestTimeout: "Request timeout"
        case .contentTooLarge: "Content too large"
        case .uriTooLong: "URI too long"
        case .expectationFailed: "Expectation failed"
        case .requestHeaderFieldsTooLarge: "Request header fields too large"
        case .notImplemented: "Not implemented"
        case .httpVersionNotSupported: "HTTP version not supported"
        case .issuerUnavailable: "Authentication service unavailable"
        case .upstreamUnavailable: "Service unavailable behind the proxy"
        case .upstreamInvalidResponse: "Invalid response from the service"
        case .overloaded: "Overloaded"
        case .draining: "Shutting down"
        case .upstreamTimeout: "The service did not answer in time"
        }
    }

    /// The reason phrase of `status` (RFC 9110 section 15).
    public var reasonPhrase: String {
        switch self.status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 431: "Request Header Fields Too Large"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "HTTP Version Not Supported"
        }
    }

    /// Whether the client's connection closes after the answer, because where its next request begins is not known
    /// or not to be waited for.
    public var closesConnection: Bool {
        switch self {
        case .badRequest, .requestTimeout, .contentTooLarge, .uriTooLong, .expectationFailed,
            .requestHeaderFieldsTooLarge, .notImplemented, .httpVersionNotSupported, .draining:
            true
        default:
            false
        }
    }
}
