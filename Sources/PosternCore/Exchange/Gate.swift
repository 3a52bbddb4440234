/// What holds for the requests of one route, beyond who may use it.
public struct RouteRules: Equatable, Sendable {
    /// The route's key as written: the label in logs and metrics. `default` where no route declares the request.
    public var label: String
    /// Nanoseconds that the upstream has for its response head.
    public var responseTimeout: Int64
    /// Bytes that a request body may have; nil: no limit.
    public var bodyLimit: Int64?
    /// Whether Authorization goes on to the upstream.
    public var forwardToken: Bool
    /// Index of the upstream in the snapshot.
    public var upstream: Int
    /// Lower-case names of the protocols besides websocket that a client may switch to.
    public var upgrades: [[UInt8]]

    public init(
        label: String, responseTimeout: Int64, bodyLimit: Int64?, forwardToken: Bool, upstream: Int,
        upgrades: [[UInt8]] = []
    ) {
        self.upgrades = upgrades
        self.label = label
        self.responseTimeout = responseTimeout
        self.bodyLimit = bodyLimit
        self.forwardToken = forwardToken
        self.upstream = upstream
    }
}

/// What the path of a request reads of its route's rules: numbers alone, so that taking them is no more than a few loads.
public struct RouteLimits: Equatable, Sendable {
    public let responseTimeout: Int64
    public let bodyLimit: Int64?
    public let forwardToken: Bool
    public let upstream: Int

    init(_ rules: RouteRules) {
        self.responseTimeout = rules.responseTimeout
        self.bodyLimit = rules.bodyLimit
        self.forwardToken = rules.forwardToken
        self.upstream = rules.upstream
    }
}

/// The rules of one policy, compiled: the order of decisions of 3-behaviour as functions of a request. A class, so that
/// taking it for a request is one reference and not a copy of every table in it.
public final class Gate: Sendable {
    public let target: TargetOptions
    public let tokenLimit: Int
    public let routes: RouteTable
    public let policy: PolicyCatalogue
    /// By route index.
    public let rules: [RouteRules]
    /// For requests that no route declares.
    public let fallback: RouteRules
    public let identity: IdentityRules
    /// Counts the policies of this process; a `VerifiedToken` knows the one it was made for.
    public let generation: Int
    /// What is done for cross-origin requests; nil: nothing.
    public let crossOrigin: CrossOrigin?
    private let limits: [RouteLimits]
    private let fallbackLimits: RouteLimits

    public init(
        target: TargetOptions, tokenLimit: Int, routes: RouteTable, policy: PolicyCatalogue, rules: [RouteRules],
        fallback: RouteRules, identity: IdentityRules, generation: Int, crossOrigin: CrossOrigin? = nil
    ) {
        self.target = target
        self.tokenLimit = tokenLimit
        self.routes = routes
        self.policy = policy
        self.rules = rules
        self.fallback = fallback
        self.identity = identity
        self.generation = generation
        self.crossOrigin = crossOrigin
        self.limits = rules.map(RouteLimits.init)
        self.fallbackLimits = RouteLimits(fallback)
    }

    /// What is known of a request before any token is verified.
    public enum Admission: Sendable {
        /// No token is needed, or none came where none has to.
        case permit(Permit)
        /// The token in this range must be verified, then `authorize` decides.
        case verify(ByteRange)
        /// A preflight that the proxy answers itself.
        case answer(PreflightAnswer)
        case refuse(Refusal)
    }

    /// The rules of a route.
    @inlinable
    public func rules(of route: Int) -> RouteRules {
        route < 0 ? self.fallback : self.rules[route]
    }

    /// The limits of a route.
    public func limits(of route: Int) -> RouteLimits {
        route < 0 ? self.fallbackLimits : self.limits[route]
    }

    // MARK: - Steps 2 to 4: path, route, credential

    /// Checks and matches the path, and finds the credential where the route asks for one.
    ///
    /// - Parameters:
    ///   - route: receives the route as soon as it is known (`undeclared` until then), for logs and metrics.
    ///   - target: receives the checked target.
    ///   - unchecked: whether the token in `verify` is yet to be held against the grammar (`Credential.isToken`).
    public func admit(
        _ bytes: RawSpan, _ head: RequestHead, route: inout Int, target: inout CheckedTarget,
        captures: inout Captures, unchecked: Bool = false
    ) -> Admission {
        route = PolicyCatalogue.undeclared
        do throws(TargetProblem) {
            target = try CheckedTarget.check(bytes, head.target, options: self.target)
        } catch {
            return .refuse(Refusal(error))
        }
        if target.isAbsolute, !Self.agree(bytes, target.authority, head.host) {
            return .refuse(Refusal(HTTPProblem.malformed(.hostMismatch)))
        }
        if head.originCount != 0, let crossOrigin, let preflight = Preflight(bytes, head) {
            return self.admit(preflight, crossOrigin, bytes, head, target, route: &route, captures: &captures)
        }
        let match = self.routes.match(
            bytes, path: target.path, hasEscapes: target.hasEscapes, method: head.method,
            methodToken: head.methodToken, captures: &captures)
        switch match {
        case .route(let index):
            route = index
            return self.admit(bytes, head, target, declared: index, unchecked: unchecked)
        case .methodNotAllowed:
            return .refuse(self.methodNotAllowed(bytes, target))
        case .undeclared:
            return self.admit(bytes, head, target, declared: PolicyCatalogue.undeclared, unchecked: unchecked)
        }
    }

    private func admit(
        _ bytes: RawSpan, _ head: RequestHead, _ target: CheckedTarget, declared route: Int, unchecked: Bool
    ) -> Admission {
        switch self.policy.compiled(route) {
        case .denied:
            return .refuse(Self.closed(route))
        case .open:
            guard let permit = self.policy.permitOpen(route: route) else { return .refuse(Self.closed(route)) }
            return .permit(permit)
        case .optional:
            return self.credential(
                bytes, head, target, anonymous: self.policy.permitOpen(route: route), unchecked: unchecked)
        case .required:
            return self.credential(bytes, head, target, anonymous: nil, unchecked: unchecked)
        }
    }

    static func closed(_ route: Int) -> Refusal {
        route < 0
            ? Refusal(.routeNotDeclared, "No route of this service's policy matches the method and path.")
            : Refusal(.routeDenied, "This route is closed to every caller.")
    }

    private func credential(
        _ bytes: RawSpan, _ head: RequestHead, _ target: CheckedTarget, anonymous: Permit?, unchecked: Bool
    ) -> Admission {
        let credential = Credential.find(
            bytes, authorization: head.authorization, count: head.authorizationCount, query: target.query,
            limit: self.tokenLimit, unchecked: unchecked)
        switch credential {
        case .token(let range):
            return .verify(range)
        case .none:
            if let anonymous { return .permit(anonymous) }
            return .refuse(
                Refusal(.missingToken, "Send an access token: \"Authorization: Bearer <token>\"."))
        case .refused(let problem):
            return .refuse(Refusal(.invalidRequest, problem.detail))
        }
    }

    func methodNotAllowed(_ bytes: RawSpan, _ target: CheckedTarget) -> Refusal {
        let allow = self.routes.allowedMethods(bytes, path: target.path, hasEscapes: target.hasEscapes)
        return Refusal(
            .methodNotAllowed, "This path takes \(allow.joined(separator: ", ")).", allow: allow)
    }

    /// RFC 9112 section 3.2.2: with a target in absolute-form its authority is the host, and Host must say the same.
    private static func agree(_ bytes: RawSpan, _ authority: ByteRange, _ host: ByteRange) -> Bool {
        guard authority.count == host.count else { return false }
        for i in 0..<authority.count {
            let one = bytes.byte(Int(authority.start) &+ i).asciiLowercased
            let other = bytes.byte(Int(host.start) &+ i).asciiLowercased
            if one != other { return false }
        }
        return true
    }

    // MARK: - Step 6: the route's rules

    /// Decides with a verified token.
    public func authorize(
        route: Int, token: VerifiedToken, bytes: RawSpan, captures: Captures
    ) -> Result<Permit, Refusal> {
        switch self.policy.decide(route: route, standing: token.standing, bytes: bytes, captures: captures) {
        case .permit(let permit):
            return .success(permit)
        case .insufficientScope:
            return .failure(
                Refusal(
                    .insufficientScope, "The token lacks a scope that this route needs.",
                    required: self.policy.required(route)))
        case .accessDenied(let kind):
            return .failure(Refusal(.accessDenied, kind.detail, required: self.policy.required(route)))
        case .routeDenied:
            return .failure(Self.closed(route))
        }
    }

    /// Whether a head has fields that speak of identity: for requests that are refused before such fields are removed.
    public func spoofs(_ bytes: RawSpan, _ head: RequestHead) -> Bool {
        for field in head.fields where field.kind == .other && self.identity.strips(bytes, field.name) { return true }
        return false
    }

    /// Whether a trailer section (whole lines with their CRLF) has such fields.
    public func spoofs(trailers: [UInt8]) -> Bool {
        let bytes = trailers.span.bytes
        var start = 0
        while start < bytes.byteCount {
            var colon = start
            while colon < bytes.byteCount, bytes.byte(colon) != UInt8(ascii: ":") { colon &+= 1 }
            if self.identity.strips(bytes, ByteRange(start, colon)) { return true }
            start = colon
            while start < bytes.byteCount, bytes.byte(start) != UInt8(ascii: "\n") { start &+= 1 }
            start &+= 1
        }
        return false
    }

    // MARK: - Step 5, after verification

    /// Whether a cached token was made ready under this very policy.
    @inlinable
    public func isCurrent(_ token: VerifiedToken) -> Bool { token.generation == self.generation }

    /// Makes a verified principal ready for requests under this policy.
    public func verifiedToken(
        for principal: Principal, terms: TokenTerms = TokenTerms()
    ) -> Result<VerifiedToken, Refusal> {
        do throws(IdentityProblem) {
            let lines = try self.identity.lines(for: principal)
            return .success(
                VerifiedToken(
                    principal: principal, standing: self.policy.standing(of: principal), identity: lines,
                    generation: self.generation, terms: terms))
        } catch {
            switch error {
            case .controlCharacter:
                return .failure(
                    Refusal(.invalidToken, "A claim of the token has control characters and cannot be passed on."))
            case .tooLarge:
                return .failure(
                    Refusal(
                        .identityTooLarge,
                        "The identity headers for this caller would be larger than the service accepts."))
            }
        }
    }
}

extension DenialKind {
    /// What the client developer is told.
    var detail: String {
        switch self {
        case .role: "The token's subject has none of the roles that this route needs."
        case .claim: "A claim of the token is not what this route needs."
        case .issuer: "This route does not accept tokens of this issuer."
        case .foreignStanding: "The caller could not be judged under the current policy; send the request again."
        }
    }
}
