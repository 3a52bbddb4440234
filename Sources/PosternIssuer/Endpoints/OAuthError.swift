import HTTPTypes
import Hummingbird
import PosternCore

/// An error answer in the form of RFC 6749 section 5.2.
struct OAuthError: HTTPResponseError, Equatable {
    /// The values of `error` that this issuer uses: RFC 6749 section 5.2; `access_denied` from section 4.1.2.1 and
    /// `slow_down` from RFC 8628 section 3.5, with their ordinary meaning.
    enum Code: String {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidScope = "invalid_scope"
        case unsupportedGrantType = "unsupported_grant_type"
        case accessDenied = "access_denied"
        case slowDown = "slow_down"
    }

    var status: HTTPResponse.Status
    var code: Code
    /// One sentence for the client's developer. Holds nothing that the client sent, but scope names.
    var description: String
    var extraHeaders: HTTPFields = [:]

    static func invalidRequest(_ description: String, status: HTTPResponse.Status = .badRequest) -> OAuthError {
        OAuthError(status: status, code: .invalidRequest, description: description)
    }

    /// - Parameter challenge: Whether the client used, or could have used, the Authorization header: then 401 brings
    ///   `WWW-Authenticate`.
    static func invalidClient(_ description: String, challenge: Bool) -> OAuthError {
        let headers: HTTPFields =
            challenge ? [.wwwAuthenticate: "Basic realm=\"postern-issuer\", charset=\"UTF-8\""] : [:]
        return OAuthError(
            status: .unauthorized, code: .invalidClient, description: description, extraHeaders: headers)
    }

    /// The answer for a refusal.
    init(_ refusal: TokenRefusal, challenge: Bool) {
        switch refusal {
        case .invalidClient:
            self = .invalidClient("the client is unknown or its secret is wrong", challenge: challenge)
        case .badAssertion:
            self = .invalidClient("the client is unknown or its assertion is not accepted", challenge: challenge)
        case .inactive:
            self = .invalidClient("the client is not active", challenge: challenge)
        case .addressNotAllowed:
            self.init(
                status: .forbidden, code: .accessDenied,
                description: "the client may not be used from this address")
        case .rateLimited(let seconds):
            self.init(
                status: .tooManyRequests, code: .slowDown,
                description: "the client asks for too many tokens; keep a token until it expires",
                extraHeaders: [.retryAfter: String(seconds)])
        case .invalidScope(let description):
            self.init(status: .badRequest, code: .invalidScope, description: description)
        case .issuedToAnother:
            self.init(
                status: .badRequest, code: .invalidGrant, description: "the token was issued to another client")
        }
    }

    init(status: HTTPResponse.Status, code: Code, description: String, extraHeaders: HTTPFields = [:]) {
        self.status = status
        self.code = code
        self.description = description
        self.extraHeaders = extraHeaders
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        let body = JSONValue.record([
            ("error", .string(self.code.rawValue)), ("error_description", .string(self.description)),
        ])
        var headers = HTTPFields.notStored
        headers.append(contentsOf: self.extraHeaders)
        return .json(body, status: self.status, headers: headers)
    }
}
