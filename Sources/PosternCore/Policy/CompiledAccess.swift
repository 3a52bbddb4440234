/// A route's access rule with its conditions as bits.
public enum CompiledAccess: Sendable {
    case open
    case denied
    case optional
    case required(CompiledRequirement)
}

/// What a route asks of a caller, as sets of interned conditions.
public struct CompiledRequirement: Sendable {
    /// All of these.
    var scopes = ConditionSet()
    /// At least one of these, unless empty.
    var anyScope = ConditionSet()
    /// At least one of these, unless empty.
    var roles = ConditionSet()
    /// All of these.
    var claims = ConditionSet()
    /// At least one of these, unless empty.
    var issuers = ConditionSet()
    /// Claims that must equal path parameters.
    var bindings: [Binding] = []

    /// A claim that must contain the value of a path parameter.
    struct Binding: Sendable {
        /// Position in `Standing.bound`.
        var claim: Int
        /// Position in `Captures`; -1 when the route has no such parameter, which no request meets.
        var parameter: Int
        /// Whether the parameter is a `{rest...}`, in which `/` separates and `%2F` does not.
        var isRest: Bool
    }
}
