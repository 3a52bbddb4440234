/// A route's access rule with its conditions as bits. A trivial value: looking at it counts no references.
public enum CompiledAccess: Sendable {
    case open
    case denied
    case optional
    case required(CompiledRequirement)
}

/// What a route asks of a caller: sets of interned conditions, of which the first 64 are here and the others in the
/// catalogue's `ConditionWords`.
public struct CompiledRequirement: Sendable {
    /// One of the sets.
    enum Part: Int, CaseIterable {
        /// Every one of these.
        case scopes
        /// At least one of these, unless there are none.
        case anyScope
        /// At least one of these, unless there are none.
        case roles
        /// Every one of these.
        case claims
        /// At least one of these, unless there are none.
        case issuers
    }

    var scopes: UInt64 = 0
    var anyScope: UInt64 = 0
    var roles: UInt64 = 0
    var claims: UInt64 = 0
    var issuers: UInt64 = 0
    /// Where the requirement's conditions from 64 up begin in `ConditionWords`; -1 when it has none.
    var more: Int32 = -1
    /// The requirement's bindings in the catalogue: first, and after the last.
    var firstBinding: Int32 = 0
    var endOfBindings: Int32 = 0

    @inline(__always)
    func word(_ part: Part) -> UInt64 {
        switch part {
        case .scopes: self.scopes
        case .anyScope: self.anyScope
        case .roles: self.roles
        case .claims: self.claims
        case .issuers: self.issuers
        }
    }
}

/// A claim that must contain the value of a path parameter.
struct ClaimBinding: Sendable {
    /// Position in `BoundTexts`.
    var claim: Int
    /// Position in `Captures`; -1 when the route has no such parameter, which no request meets.
    var parameter: Int
    /// Whether the parameter is a `{rest...}`, in which `/` separates and `%2F` does not.
    var isRest: Bool
}
