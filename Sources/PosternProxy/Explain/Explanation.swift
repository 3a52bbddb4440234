import PosternCore

/// What would happen to one request, step by step.
struct Explanation: Equatable {
    /// The stages of a decision, in their order; each is a folder of the core.
    enum Stage: String, CaseIterable {
        case http1, target, route, credential, token, policy, identity, exchange
    }

    /// What came of a stage.
    enum Outcome: String {
        case passed = "ok"
        case refused
        /// The request goes on without it.
        case notNeeded = "not_needed"
        /// An earlier stage refused.
        case notReached = "not_reached"
    }

    struct Step: Equatable {
        var stage: Stage
        var outcome: Outcome
        /// What was found, a sentence or less each.
        var facts: [String] = []
        /// The conditions of the route, at `policy`.
        var conditions: [ConditionOutcome] = []
    }

    /// What the service gets.
    struct Forwarded: Equatable {
        var upstream: String
        var requestLine: String
        /// `Name: value` each, in order.
        var headers: [String]
    }

    /// What the proxy itself answers to a preflight.
    struct Answered: Equatable {
        /// Whether the origin is an allowed one.
        var isAllowed: Bool
        var status: Int
        /// `Name: value` each, in order.
        var headers: [String]
    }

    var method: String
    /// Without the query.
    var path: String
    /// The key of the route that matched.
    var route: String?
    var steps: [Step] = []
    /// Why it is refused; exactly one of this, `forwarded` and `answered` is there.
    var refusal: Refusal?
    /// The answer's fields that depend on the refusal.
    var answerHeaders: [String] = []
    /// The problem document; none for a gRPC call, whose answer is its header fields.
    var problem: JSONValue?
    var forwarded: Forwarded?
    var answered: Answered?

    var isAllowed: Bool { self.refusal == nil && self.answered?.isAllowed != false }

    mutating func add(_ stage: Stage, _ outcome: Outcome, _ facts: [String] = []) {
        self.steps.append(Step(stage: stage, outcome: outcome, facts: facts))
    }

    /// Marks every stage that has no step yet.
    mutating func complete() {
        for stage in Stage.allCases where !self.steps.contains(where: { $0.stage == stage }) {
            self.add(stage, .notReached)
        }
        self.steps.sort { $0.stage.position < $1.stage.position }
    }
}

extension Explanation.Stage {
    var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// The stage at which a refusal with this code is decided.
    init(_ code: RefusalCode) {
        switch code {
        case .badRequest, .ambiguousPath: self = .target
        case .methodNotAllowed, .routeDenied, .routeNotDeclared: self = .route
        case .missingToken, .invalidRequest: self = .credential
        case .invalidToken, .issuerUnavailable: self = .token
        case .insufficientScope, .accessDenied: self = .policy
        case .identityTooLarge: self = .identity
        default: self = .exchange
        }
    }
}
