extension IdentityRules {
    /// The header lines for a principal, `Name: value\r\n` each, ready to be written: one for each configured header that
    /// the principal has a value for. Once per verified token: allocates.
    public func lines(for principal: Principal) throws(IdentityProblem) -> [UInt8] {
        var lines: [UInt8] = []
        for header in self.headers {
            let value = try Self.value(of: header.source, principal)
            guard !value.isEmpty else { continue }
            lines.append(contentsOf: header.name.utf8)
            lines.append(": ")
            lines.append(contentsOf: value)
            lines.append("\r\n")
            guard lines.count <= self.limit else { throw .tooLarge }
        }
        return lines
    }

    /// The encoded value; empty where there is none.
    private static func value(
        of source: IdentityHeader.Source, _ principal: Principal
    ) throws(IdentityProblem) -> [UInt8] {
        switch source {
        case .user: return try IdentityValue.single(principal.user ?? "")
        case .name: return try IdentityValue.single(principal.name ?? "")
        case .client: return try IdentityValue.single(principal.client ?? "")
        case .issuer: return try IdentityValue.single(principal.issuer)
        case .roles: return try IdentityValue.list(principal.roles, separator: UInt8(ascii: ","))
        case .scopes: return try IdentityValue.list(principal.scopes, separator: UInt8(ascii: " "))
        case .admin: return principal.admin.map { Array(($0 ? "true" : "false").utf8) } ?? []
        case .claim(let selector):
            return try selector.value(in: principal.claims).map(IdentityValue.claim) ?? []
        }
    }
}
