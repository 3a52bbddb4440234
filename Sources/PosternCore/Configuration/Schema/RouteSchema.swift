extension Shape {
    /// The value of a route.
    static let route = Shape.either([.choice(["public", "authenticated", "optional", "deny"]), .section(.route)])

    /// What a claim must be: a value, a list of values, or `"{path_parameter}"`.
    static let expectation = Shape.list(of: .scalar, minimum: 1, single: true)

    static let scopes = Shape.list(of: .text(.scope), minimum: 1, single: true)
}

extension Section {
    static let route = Section(
        summary: "What a route needs; all conditions given must hold",
        keys: [
            Key("scopes", .scopes, "All of these scopes"),
            Key("any_scope", .scopes, "One of these scopes"),
            Key("roles", .list(of: .text(.any), minimum: 1, single: true), "One of these roles"),
            Key(
                "claims", .entries(key: .claim, of: .expectation, noun: "claim"),
                "Claims and what they must be: a value, a list of values, or \"{path_parameter}\""),
            Key("issuers", .list(of: .text(.name), minimum: 1, single: true), "Only tokens of these issuers"),
            Key("timeout", .timeout, "Instead of timeouts.response"),
            Key("body", .bodyLimit, "Instead of limits.body"),
            Key("forward_token", .boolean, "Instead of forward_token"),
            Key("upstream", .upstream, "Instead of upstream"),
            Key(
                "upgrade", .list(of: .text(.token), minimum: 1, single: true),
                "Protocols besides websocket that may be upgraded to"),
        ])
}
