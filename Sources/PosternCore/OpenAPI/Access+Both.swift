extension Access {
    /// The rule that lets through only whom both rules let through. Where two lists of `any_scope` or `roles` have to
    /// hold together, which one rule cannot say, it is stricter than that.
    func both(_ other: Access) -> Access {
        if self == other { return self }
        switch (self, other) {
        case (.denied, _), (_, .denied): return .denied
        case (.open, let access), (let access, .open): return access
        case (.optional, let access), (let access, .optional): return access
        case (.required(let left), .required(let right)):
            // Of two lists one stays, and all of the other is asked for: whoever has all has one.
            let isSame = left.anyScope.isEmpty || right.anyScope.isEmpty || left.anyScope == right.anyScope
            guard left.roles.isEmpty || right.roles.isEmpty || left.roles == right.roles,
                left.issuers.isEmpty || right.issuers.isEmpty || left.issuers == right.issuers
            else { return .denied }
            return .required(
                Requirement(
                    scopes: (left.scopes + right.scopes + (isSame ? [] : right.anyScope)).unique,
                    anyScope: left.anyScope.isEmpty ? right.anyScope : left.anyScope,
                    roles: left.roles.isEmpty ? right.roles : left.roles,
                    claims: left.claims + right.claims.filter { !left.claims.contains($0) },
                    issuers: left.issuers.isEmpty ? right.issuers : left.issuers))
        }
    }
}
