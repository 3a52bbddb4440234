import Testing

@testable import PosternCore

/// A policy with a route of every kind, a later one that judges differently, and callers whose tokens are known.
enum IntakePolicy {
    static let routes: [(key: String, access: Access)] = [
        ("GET /public", .open), ("ANY /denied/{rest...}", .denied), ("GET /optional", .optional),
        ("GET|POST /any", .required(Requirement())), ("GET /scoped", .required(Requirement(scopes: ["read"]))),
        ("GET /own/{user}", .required(Requirement(claims: [.named("sub", parameter: "user")]))),
        ("GET /boss", .required(Requirement(roles: ["boss"]))),
        ("GET /issuer", .required(Requirement(issuers: ["other"]))),
    ]

    /// The policy after a reload: routes have other numbers, and what a scope opens is something else.
    static let reloaded: [(key: String, access: Access)] = [
        ("GET /boss", .required(Requirement(roles: ["admin"]))), ("GET /any", .optional),
        ("GET /scoped", .required(Requirement(scopes: ["write"]))), ("GET /public", .required(Requirement())),
        ("GET /own/{user}", .required(Requirement(scopes: ["read"]))),
        ("GET /issuer", .required(Requirement(issuers: ["permiso"]))), ("ANY /denied/{rest...}", .open),
    ]

    /// A gate; requests to `/any` alone take their Authorization along.
    static func gate(
        _ routes: [(key: String, access: Access)] = IntakePolicy.routes, generation: Int = 1,
        identity: [IdentityHeader] = IdentityHeader.defaults, tokenLimit: Int = 400
    ) throws -> Gate {
        let patterns = try routes.map { try RoutePattern.parse($0.key, options: TargetOptions()) }
        func rules(_ label: String) -> RouteRules {
            RouteRules(
                label: label, responseTimeout: 1, bodyLimit: nil, forwardToken: label.hasSuffix("/any"), upstream: 0)
        }
        return Gate(
            target: TargetOptions(), tokenLimit: tokenLimit, routes: try RouteTable(patterns),
            policy: PolicyCatalogue(zip(patterns, routes).map { (pattern: $0, access: $1.access) }),
            rules: routes.map { rules($0.key) }, fallback: rules("default"),
            identity: IdentityRules(headers: identity), generation: generation)
    }

    static func principal(
        _ user: String, scopes: [String] = [], roles: [String] = [], issuer: String = "permiso",
        expiresAt: Double = 1_000
    ) -> Principal {
        Principal(
            issuer: issuer, user: user, scopes: scopes, roles: roles,
            claims: .object([JSONValue.Member(name: "sub", value: .string(user))]), expiresAt: expiresAt)
    }

    /// Tokens of many lengths; some differ in one byte before their last 64.
    static let callers: [String: Principal] = {
        let end = String(repeating: "Ab9-_.", count: 15)
        return [
            "a": principal("u1"), "b=": principal("u2", scopes: ["read", "write"]),
            "eyJ0.e30.c2ln": principal("u3", scopes: ["read"], roles: ["boss"]),
            "x\(end)": principal("u4", scopes: ["read"]), "y\(end)": principal("u5", roles: ["boss", "admin"]),
            "z\(end)": principal("late", scopes: ["read", "write"], expiresAt: 100),
            "~+/\(end)\(end)\(end)==": principal("u7", scopes: ["write"], issuer: "other"),
            "control": principal("u\n8", scopes: ["read", "write"]),
        ]
    }()

    static func head(_ line: String, _ fields: String...) -> [UInt8] {
        Array(("\(line) HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
    }

    /// A GET with a bearer token.
    static func head(_ path: String, token: String) -> [UInt8] {
        Self.head("GET \(path)", "Authorization: Bearer \(token)")
    }
}

/// What a request comes to, as something that can be compared.
struct Judgement: Equatable {
    /// A verified token, less its address.
    struct Caller: Equatable {
        var principal: Principal
        var standing: Standing
        var identity: [UInt8]
        var generation: Int

        init(_ token: VerifiedToken) {
            self.principal = token.principal
            self.standing = token.standing
            self.identity = token.identity
            self.generation = token.generation
        }
    }

    enum Verdict: Equatable {
        case incomplete
        case problem(HTTPProblem)
        case permit(Permit, Caller?)
        case verify(ByteRange)
        case rejected(TokenProblem)
        case answer(PreflightAnswer)
        case refuse(Refusal, Caller?)

        init(_ verdict: Intake.Verdict) {
            switch verdict {
            case .permit(let permit, let token): self = .permit(permit, token.map(Caller.init))
            case .verify(let range): self = .verify(range)
            case .rejected(let problem): self = .rejected(problem)
            case .answer(let answer): self = .answer(answer)
            case .refuse(let refusal, let token): self = .refuse(refusal, token.map(Caller.init))
            }
        }
    }

    var verdict = Verdict.incomplete
    var facts = Intake.Facts()
    var route = PolicyCatalogue.undeclared
    var requestID: [UInt8] = []
    var traceID: [UInt8] = []
    /// The upstream's head, where there is one.
    var upstream: [UInt8] = []
    var spoofed = false

    /// The verdict in words.
    var words: String {
        switch self.verdict {
        case .incomplete: "incomplete"
        case .problem(let problem): "\(problem)"
        case .permit(let permit, let caller): "permit \(permit.route) \(caller?.principal.user ?? "nobody")"
        case .verify: "verify"
        case .rejected(let problem): "rejected \(problem.code)"
        case .answer(let answer): answer.isAllowed ? "answer" : "silence"
        case .refuse(let refusal, let caller): "\(refusal.code.rawValue) \(caller?.principal.user ?? "nobody")"
        }
    }
}

let intakeClient = ClientFacts(address: Array("10.0.0.7".utf8), scheme: "http")

/// An `Intake` and the steps that a connection takes with it.
struct IntakeDesk {
    var intake = Intake(identifierSeed: (1, 2), cacheSeed: (3, 4))

    /// Takes the prefixes of `bytes` that end at `cuts`, each in memory of its own, then all of them. Stops at the first
    /// answer that is not `incomplete`. `between` is called after each `incomplete`.
    mutating func take(
        _ bytes: [UInt8], cuts: [Int] = [], gate: Gate, limits: HeadLimits = HeadLimits(), now: Double = 0,
        between: (inout Intake) -> Void = { _ in }
    ) -> Judgement {
        var resumed: HeadScanner?
        for cut in cuts + [bytes.count] {
            let part = Array(bytes[..<cut])
            let outcome = self.intake.take(part.span.bytes, resumed: resumed, gate: gate, limits: limits, now: now)
            switch outcome {
            case .incomplete(let scanner):
                resumed = scanner
                between(&self.intake)
            case .problem(let problem):
                return Judgement(verdict: .problem(problem))
            case .judged(let facts, let route, let verdict):
                return self.judgement(part, gate, facts, route, verdict)
            }
        }
        return Judgement()
    }

    /// `take`, and where the token is to be verified, its verification: by a table.
    mutating func takeVerifying(
        _ bytes: [UInt8], gate: Gate, now: Double = 0, callers: [String: Principal] = IntakePolicy.callers
    ) -> Judgement {
        let first = self.take(bytes, gate: gate, now: now)
        guard case .verify(let range) = first.verdict,
            let principal = callers[String(decoding: bytes[range.range], as: UTF8.self)]
        else { return first }
        let token = bytes.span.bytes.slice(range)
        let verdict: Intake.Verdict =
            switch self.intake.accept(principal, token: token, gate: gate, now: now) {
            case .success(let verified):
                self.intake.authorize(verified, bytes.span.bytes, gate: gate, route: first.route)
            case .failure(let refusal): .refuse(refusal, nil)
            }
        return self.judgement(bytes, gate, first.facts, first.route, verdict)
    }

    /// Puts the callers' tokens into the cache.
    mutating func warm(_ gate: Gate, now: Double = 0, callers: [String: Principal] = IntakePolicy.callers) {
        for (token, principal) in callers {
            let bytes = Array(token.utf8)
            _ = self.intake.accept(principal, token: bytes.span.bytes, gate: gate, now: now)
        }
    }

    private mutating func judgement(
        _ bytes: [UInt8], _ gate: Gate, _ facts: Intake.Facts, _ route: Int, _ verdict: Intake.Verdict
    ) -> Judgement {
        var result = Judgement(verdict: .init(verdict), facts: facts, route: route)
        result.requestID = self.intake.requestID
        result.traceID = self.intake.traceID
        if case .permit(let permit, let token) = verdict {
            result.spoofed = self.intake.compose(
                bytes.span.bytes, permit: permit, token: token, gate: gate,
                forwardToken: gate.limits(of: route).forwardToken, client: intakeClient, into: &result.upstream)
        } else {
            result.spoofed = self.intake.spoofs(bytes.span.bytes, gate: gate)
        }
        return result
    }
}

extension Intake {
    /// The request id of the head that was taken last.
    var requestID: [UInt8] {
        var intake = self
        var id: [UInt8] = []
        intake.appendRequestID(to: &id)
        return id
    }

    /// The trace id of the head that was taken last.
    var traceID: [UInt8] {
        var intake = self
        var id: [UInt8] = []
        intake.appendTraceID(to: &id)
        return id
    }
}
