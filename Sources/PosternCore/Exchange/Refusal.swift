/// One refusal: the code, and what the client developer is told. Not on the path of a permitted request, so it may use
/// strings.
public struct Refusal: Error, Equatable, Sendable {
    public var code: RefusalCode
    /// One sentence that a client developer can act on. Never holds a token or a part of one.
    public var detail: String
    /// What the route needs, for 403.
    public var required: Requirement?
    /// For 405.
    public var allow: [String]

    public init(_ code: RefusalCode, _ detail: String, required: Requirement? = nil, allow: [String] = []) {
        self.code = code
        self.detail = detail
        self.required = required
        self.allow = allow
    }

    /// A request that is no acceptable HTTP.
    public init(_ problem: HTTPProblem) {
        switch problem {
        case .malformed(let kind):
            self.init(.badRequest, "The request is not well-formed HTTP/1.1: \(kind.rawValue).")
        case .targetTooLong:
            self.init(.uriTooLong, "The request target is longer than this proxy accepts.")
        case .headTooLarge:
            self.init(
                .requestHeaderFieldsTooLarge, "The request head has more bytes or fields than this proxy accepts.")
        case .unknownTransferCoding:
            self.init(.notImplemented, "The only transfer coding that is understood is exactly one \"chunked\".")
        case .methodNotImplemented:
            self.init(.notImplemented, "The request method is not supported.")
        case .versionNotSupported:
            self.init(.httpVersionNotSupported, "Use HTTP/1.1.")
        case .expectationFailed:
            self.init(.expectationFailed, "The only expectation that can be met is 100-continue.")
        }
    }

    /// A request target that is refused.
    public init(_ problem: TargetProblem) {
        switch problem {
        case .malformed:
            self.init(HTTPProblem.malformed(.target))
        case .asterisk:
            self.init(.badRequest, "The request target \"*\" is not supported.")
        case .ambiguous(let ambiguity):
            self.init(.ambiguousPath, ambiguity.detail)
        }
    }

    /// A token that is not accepted.
    public init(_ problem: TokenProblem) {
        if problem == .issuerUnavailable {
            self = .keysUnavailable
        } else {
            self.init(.invalidToken, problem.description)
        }
    }

    public static let keysUnavailable = Refusal(
        .issuerUnavailable, "The keys of the token's issuer cannot be had at the moment; try again.")
    /// Introspection: no issuer said that the token is active, and one that could have was not to be had.
    public static let issuerUnavailable = Refusal(
        .issuerUnavailable, "The token's issuer cannot be asked at the moment; try again.")
}
