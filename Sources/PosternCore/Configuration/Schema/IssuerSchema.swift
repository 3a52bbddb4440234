extension Section {
    static let issuer = Section(
        summary: "An issuer of tokens: local validation with keys, or introspection",
        keys: [
            Key("issuer", .text(.any), "The exact iss of its tokens; with introspection it may be left out: any token"),
            Key(
                "audiences", .either([.choice(["any"]), .list(of: .text(.any), minimum: 1, single: false)]),
                "One of these must be in aud; any switches the check off"),
            Key(
                "algorithms", .list(of: .algorithm, minimum: 1, single: true),
                default: ["RS256", "PS256", "ES256", "EdDSA"], "Accepted signature algorithms; with keys"),
            Key("keys", .section(.keys), "Where the keys for local validation come from"),
            Key("introspection", .section(.introspection), "Ask the issuer about each token"),
            Key("leeway", .duration(0...(5 * Nanoseconds.minute)), default: "30s", "Tolerance for clocks"),
            Key(
                "token_types", .list(of: .text(.tokenType), minimum: 1, single: true), default: ["at+jwt", "JWT"],
                "Accepted typ values; with keys"),
            Key("claims", .section(.claims), "Which claims mean what"),
            Key(
                "revocation", .choice(Configuration.Issuer.Revocation.allCases.map(\.rawValue)), default: "off",
                "Whether revocations published through Redis count; required: tokens are refused without them"),
            Key("admin", .text(.claim), "A claim that, when it is true, passes every scope, role and claim rule"),
        ],
        exactlyOne: [["keys", "introspection"]])

    static let claims = Section(
        summary: "Which claims mean what; of several the first present one counts",
        keys: [
            Key("scopes", .claimNames, default: ["scope", "scopes", "scp"], "The scopes; dialect hecate: permissions"),
            Key("roles", .claimNames, default: "roles", "The roles"),
            Key("user", .claimNames, default: "sub", "Who the caller is; dialect hecate: user_id"),
            Key(
                "name", .claimNames, default: ["username", "preferred_username"],
                "The caller's name; dialect hecate: username"),
            Key("client", .claimNames, default: ["client_id", "azp"], "Which client it is"),
        ])

    static let keys = Section(
        summary: "Where an issuer's keys come from",
        keys: [
            Key("url", .text(.url(["https", "http"])), "A JWK set, fetched in the background"),
            Key("discover", .boolean, "true: the issuer's metadata names the JWK set"),
            Key("file", .text(.file), "A file with a JWK set, a JWK or PEM"),
            Key("inline", .object, "A JWK set or a JWK"),
            Key("secret", .secret(minimum: 32), "The shared secret of HMAC algorithms, 32 bytes or more"),
            Key(
                "refresh", .duration(Nanoseconds.second...Nanoseconds.day), default: "5m", "How often keys are fetched"),
            Key("timeout", .duration(Nanoseconds.millisecond...Nanoseconds.minute), default: "2s", "For one fetch"),
            Key(
                "max_stale", .duration(Nanoseconds.second...(30 * Nanoseconds.day)), default: "24h",
                "How long keys serve after the last good fetch"),
            Key("ca", .text(.file), "PEM file of the authorities that are trusted for the fetch"),
            Key(
                "headers", .entries(key: .fieldName, of: .secret(minimum: 1), noun: "header"),
                "Headers of the fetch"),
        ],
        exactlyOne: [["url", "discover", "file", "inline", "secret"]])
}

extension Shape {
    static let claimNames = Shape.list(of: .text(.claim), minimum: 1, single: true)
    static let algorithm = Shape.choice(SignatureAlgorithm.allCases.map(\.rawValue))
}
