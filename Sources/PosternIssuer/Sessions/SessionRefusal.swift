import PosternCore

/// Why somebody is not logged in, or not any longer.
enum SessionRefusal: Error, Equatable {
    /// Unknown name, wrong password, or a user who may not log in: deliberately one answer for all of them.
    case invalidCredentials
    /// A refresh token that is unknown, over, used before, or whose holder may do nothing any more.
    case invalidGrant
    /// Too many failures; whole seconds until another attempt.
    case throttled(retryAfter: Int)
    /// Too many logins at once; whole seconds until another attempt.
    case overloaded(retryAfter: Int)
    /// The client through which the user logs in is refused.
    case client(TokenRefusal)
}

/// Why, for the audit log: never in an answer.
enum SessionFault: Error, Equatable {
    case unknownUser
    case wrongPassword
    case holder(TokenFault)
    case unknownToken
    case sessionOver
    case reused
    case throttled
    case overloaded
    case client(TokenRefusal)

    /// The `reason` of the audit log.
    var reason: String {
        switch self {
        case .unknownUser: "unknown_user"
        case .wrongPassword: "wrong_password"
        case .holder(let fault): fault.code
        case .unknownToken: "unknown_token"
        case .sessionOver: "session_over"
        case .reused: "token_reused"
        case .throttled: "too_many_failures"
        case .overloaded: "overloaded"
        case .client(let refusal): refusal.reason
        }
    }
}

extension TokenFault {
    /// A short stable name for logs.
    var code: String {
        switch self {
        case .token(let problem): problem.code
        case .revoked: "revoked"
        case .unknownHolder: "unknown_holder"
        case .inactive: "inactive"
        case .accountExpired: "account_expired"
        case .emailNotVerified: "email_not_verified"
        }
    }
}
