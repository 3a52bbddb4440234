/// One entry of `identity:`: a header that the service gets, and what it holds.
public struct IdentityHeader: Equatable, Sendable {
    /// Where the value comes from.
    public enum Source: Equatable, Sendable {
        case user, name, roles, scopes, client, admin, issuer
        /// Any other claim.
        case claim(ClaimSelector)
    }

    /// The header's name, spelled as it is sent.
    public var name: String
    public var source: Source

    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// The set that is inserted when proxy.yaml gives none.
    public static let defaults: [IdentityHeader] = [
        IdentityHeader(name: "X-User-Id", source: .user),
        IdentityHeader(name: "X-User-Name", source: .name),
        IdentityHeader(name: "X-User-Roles", source: .roles),
        IdentityHeader(name: "X-User-Scopes", source: .scopes),
        IdentityHeader(name: "X-User-Admin", source: .admin),
        IdentityHeader(name: "X-Client-Id", source: .client),
        IdentityHeader(name: "X-Client-Trusted", source: .claim(.name("is_trusted"))),
        IdentityHeader(name: "X-Auth-Issuer", source: .issuer),
    ]
}
