/// How an issuer wants to be asked about a token, and how it answers.
public enum IntrospectionDialect: String, Equatable, Sendable, CaseIterable {
    /// RFC 7662: a form in, `active` out.
    case rfc7662
    /// JSON in, `valid` out; members of its own for user, roles and permissions.
    case hecate

    /// The member of the answer that says whether the token is good.
    var verdict: String {
        switch self {
        case .rfc7662: "active"
        case .hecate: "valid"
        }
    }
}
