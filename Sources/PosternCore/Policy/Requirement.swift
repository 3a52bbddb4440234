/// What a route asks of the caller, beyond a valid token. All conditions that are given must hold.
public struct Requirement: Equatable, Sendable {
    /// All of these scopes.
    public var scopes: [String]
    /// At least one of these scopes; empty: no condition.
    public var anyScope: [String]
    /// At least one of these roles; empty: no condition.
    public var roles: [String]
    public var claims: [ClaimRule]
    /// Only tokens of these issuers (names of proxy.yaml); empty: any.
    public var issuers: [String]

    public init(
        scopes: [String] = [], anyScope: [String] = [], roles: [String] = [], claims: [ClaimRule] = [],
        issuers: [String] = []
    ) {
        self.scopes = scopes
        self.anyScope = anyScope
        self.roles = roles
        self.claims = claims
        self.issuers = issuers
    }
}

/// One entry of a route's `claims`. An array claim matches if it contains an accepted value.
public struct ClaimRule: Equatable, Sendable {
    /// What the claim must be.
    public enum Expectation: Equatable, Sendable {
        /// One of these scalars (string, number, boolean), compared by JSON type and value.
        case oneOf([JSONValue])
        /// The text of the path parameter with this name, percent-decoded.
        case pathParameter(String)
    }

    /// The claim as written in proxy.yaml: what a refusal names.
    public var name: String
    public var selector: ClaimSelector
    public var expectation: Expectation

    public init(name: String, selector: ClaimSelector, expectation: Expectation) {
        self.name = name
        self.selector = selector
        self.expectation = expectation
    }
}

/// Who may use a route.
public enum Access: Equatable, Sendable {
    /// Everybody; no token is looked at.
    case open
    /// Nobody.
    case denied
    /// Everybody; a token, if present, must be valid.
    case optional
    /// Callers with a valid token that meets the requirement.
    case required(Requirement)
}
