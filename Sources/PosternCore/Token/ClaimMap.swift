/// Which claims of an issuer mean what (`claims:` of an issuer in proxy.yaml). Of several selectors for one meaning
/// the first whose value is present (and not null) counts.
public struct ClaimMap: Equatable, Sendable {
    public var scopes: [ClaimSelector]
    public var roles: [ClaimSelector]
    public var user: [ClaimSelector]
    public var name: [ClaimSelector]
    public var client: [ClaimSelector]
    /// The claim that, when it is JSON `true`, passes every scope, role and claim rule. Nil: nobody is an admin.
    public var admin: ClaimSelector?

    public init(
        scopes: [ClaimSelector] = [.name("scope"), .name("scopes"), .name("scp")],
        roles: [ClaimSelector] = [.name("roles")],
        user: [ClaimSelector] = [.name("sub")],
        name: [ClaimSelector] = [.name("username"), .name("preferred_username")],
        client: [ClaimSelector] = [.name("client_id"), .name("azp")],
        admin: ClaimSelector? = nil
    ) {
        self.scopes = scopes
        self.roles = roles
        self.user = user
        self.name = name
        self.client = client
        self.admin = admin
    }
}
