extension KeyTable {
    private static let issuerPlace = "{upstream: unix:/s, issuers: {i: {keys: {file: jwk.json}, KEY}}}"
    private static let revocationPlace =
        "{upstream: unix:/s, redis: {url: \"redis://h\", seal: \"\(World.secret)\"}, "
        + "issuers: {i: {keys: {file: jwk.json}, KEY}}}"
    private static let claimsPlace = "{upstream: unix:/s, issuers: {i: {claims: {KEY}}}}"
    private static let keysPlace =
        "{upstream: unix:/s, issuers: {i: {issuer: \"https://i\", audiences: any, keys: {KEY}}}}"
    private static let fetchPlace =
        "{upstream: unix:/s, issuers: {i: {issuer: x, audiences: any, keys: {url: \"https://i/\", KEY}}}}"
    private static let askPlace = "{upstream: unix:/s, issuers: {i: {introspection: {KEY}}}}"
    private static let credentialsPlace = "{upstream: unix:/s, issuers: {i: {introspection: {credentials: {KEY}}}}}"

    static let notNames = notClaim.map { ("[\($0.0)]", $0.1) } + [("[]", "is empty"), ("{}", "not a mapping")]

    static let issuer: [KeyRow] = [
        KeyRow(
            "issuers.i.issuer", in: issuerPlace, good: ["\"https://i\"", "anything"],
            bad: [("\"\"", "it is empty"), ("5", "quote it"), ("[]", "not a list")]),
        KeyRow(
            "issuers.i.audiences", in: issuerPlace, good: ["any", "[a]", "[a, b]"],
            bad: [("a", "must be \"any\" or a list"), ("[]", "is empty"), ("[5]", "quote it")]),
        KeyRow(
            "issuers.i.algorithms", in: issuerPlace, good: ["[RS256, EdDSA]", "ES512"],
            bad: [
                ("[rs256]", "did you mean \"RS256\""), ("[none]", "one of"),
                ("[HS256]", "HS256 needs keys: {secret: …}"), ("[]", "is empty"),
            ]),
        KeyRow(
            "issuers.i.keys", in: "{upstream: unix:/s, issuers: {i: {issuer: x, audiences: any, KEY}}}",
            good: ["{file: jwk.json}"],
            bad: [
                ("{}", "one of \"url\", \"discover\", \"file\", \"inline\", \"secret\" is required"),
                ("{file: jwk.json, url: \"https://i/\"}", "only one of"), ("{fil: jwk.json}", "did you mean \"file\""),
                ("\"https://i\"", "must be a mapping"),
            ]),
        KeyRow(
            "issuers.i.introspection", in: "{upstream: unix:/s, issuers: {i: {KEY}}}",
            good: ["{url: \"https://i/\", credentials: {bearer: x}}"],
            bad: [
                ("{}", "url: is required"), ("{}", "credentials: is required"), ("\"https://i/\"", "must be a mapping"),
                ("{url: \"https://i/\", credentials: {bearer: x}, headers: {}}", "unknown key"),
            ]),
        KeyRow("issuers.i.leeway", in: issuerPlace, good: ["0s", "5m"], bad: notDuration + [("6m", "from 0s to 5m")]),
        KeyRow(
            "issuers.i.token_types", in: issuerPlace, good: ["JWT", "[at+jwt, application/at+jwt]"],
            bad: [("[\"a b\"]", "a token type"), ("[]", "is empty")]),
        KeyRow(
            "issuers.i.claims", in: issuerPlace, good: ["{}"],
            bad: [("{scope: x}", "did you mean \"scopes\""), ("[]", "not a list")]),
        KeyRow("issuers.i.claims.scopes", in: claimsPlace, good: ["[a, /b/c]", "a"], bad: notNames),
        KeyRow("issuers.i.claims.roles", in: claimsPlace, good: ["/realm_access/roles"], bad: notNames),
        KeyRow("issuers.i.claims.user", in: claimsPlace, good: ["sub"], bad: notNames),
        KeyRow("issuers.i.claims.name", in: claimsPlace, good: ["\"https://ns/name\""], bad: notNames),
        KeyRow("issuers.i.claims.client", in: claimsPlace, good: ["azp"], bad: notNames),
        KeyRow(
            "issuers.i.revocation", in: revocationPlace, good: ["off", "redis", "required"],
            bad: [("on", "one of"), ("rediss", "did you mean \"redis\""), ("true", "one of"), ("[off]", "not a list")]),
        KeyRow("issuers.i.admin", in: issuerPlace, good: ["is_admin", "/a/b"], bad: notClaim),
    ]

    static let keys: [KeyRow] = [
        KeyRow(
            "issuers.i.keys.url", in: keysPlace, good: ["\"https://h/k?x=y\"", "\"http://h/k\""],
            bad: notURL + [("\"https://u:p@h/\"", "cannot hold credentials"), ("\"https://h/#x\"", "fragment")]),
        KeyRow("issuers.i.keys.discover", in: keysPlace, good: ["true"], bad: notBoolean + [("false", "must be true")]),
        KeyRow(
            "issuers.i.keys.file", in: keysPlace, good: ["jwk.json", "jwks.json", "public.pem"],
            bad: notFile + [
                ("nowhere", "\"nowhere\" cannot be read: No such file or directory"), ("empty", "it is empty"),
                ("bad.json", "it is not JSON"), ("none.json", "holds no usable key"), ("private.pem", "a private key"),
                ("secret", "holds neither PEM nor"),
            ]),
        KeyRow(
            "issuers.i.keys.inline", in: keysPlace,
            good: ["{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}"],
            bad: [
                ("{}", "must be a JWK"), ("{kty: XYZ}", "is not a usable JWK"),
                ("{kty: oct, k: x}", "is not a usable JWK"), ("{keys: []}", "holds no usable key"),
                ("{keys: x}", "is not a JWK set"), ("x", "must be a mapping"),
                ("{kty: OKP, kty: OKP}", "is written twice"),
            ]),
        KeyRow("issuers.i.keys.secret", in: keysPlace, good: ["\"${SECRET}\"", "{file: secret}"], bad: notShortSecret),
        KeyRow(
            "issuers.i.keys.refresh", in: fetchPlace, good: ["1s", "24h"],
            bad: notDuration + [("500ms", "from 1s to 24h")]),
        KeyRow(
            "issuers.i.keys.timeout", in: fetchPlace, good: ["1ms", "1m"], bad: notDuration + [("2m", "from 1ms to 1m")]
        ),
        KeyRow(
            "issuers.i.keys.max_stale", in: fetchPlace, good: ["5m", "720h"],
            bad: notDuration + [("4m", "cannot be shorter than refresh (5m)"), ("721h", "from 1s to 720h")]),
        KeyRow("issuers.i.keys.ca", in: fetchPlace, good: ["public.pem"], bad: notFile + [("nowhere", "No such file")]),
        KeyRow(
            "issuers.i.keys.headers", in: fetchPlace, good: ["{Authorization: \"Bearer x\", X: {file: token}}"],
            bad: [
                ("{Host: x}", "HTTP itself sets this header"), ("{a b: x}", "the key must be a header name"),
                ("{X: \"${ODD}\"}", "without line breaks"), ("{X: \"\"}", "must be not empty"),
            ]),
    ]

    static let introspection: [KeyRow] = [
        KeyRow(
            "issuers.i.introspection.url", in: askPlace, good: ["\"https://i/a?b=c\"", "\"http://i/\""],
            bad: notURL + [("\"https://u:p@i/\"", "cannot hold credentials"), ("\"https://i/#x\"", "a fragment")]),
        KeyRow(
            "issuers.i.introspection.dialect", in: askPlace, good: ["hecate", "rfc7662"],
            bad: [("rfc", "did you mean \"rfc7662\"")]),
        KeyRow(
            "issuers.i.introspection.credentials", in: askPlace, good: ["{bearer: x}"],
            bad: [
                ("{}", "one of \"bearer\", \"basic\", \"form\" is required"), ("{bearer: x, form: {}}", "only one of"),
                ("x", "must be a mapping"),
            ]),
        KeyRow(
            "issuers.i.introspection.credentials.bearer", in: credentialsPlace, good: ["x", "{file: secret}"],
            bad: notSecret + [("{file: token}", "visible ASCII without spaces"), ("é", "visible ASCII")]),
        KeyRow(
            "issuers.i.introspection.credentials.basic", in: credentialsPlace, good: ["{id: a, secret: b}"],
            bad: [("{}", "id: is required")]),
        KeyRow(
            "issuers.i.introspection.credentials.basic.id",
            in: "{upstream: unix:/s, issuers: {i: {introspection: {credentials: {basic: {KEY}}}}}}", good: ["a"],
            bad: notFile),
        KeyRow(
            "issuers.i.introspection.credentials.basic.secret",
            in: "{upstream: unix:/s, issuers: {i: {introspection: {credentials: {basic: {KEY}}}}}}", good: ["a"],
            bad: notSecret),
        KeyRow(
            "issuers.i.introspection.credentials.form", in: credentialsPlace, good: ["{id: a, secret: b}"],
            bad: [("{id: a}", "secret: is required")]),
        KeyRow(
            "issuers.i.introspection.credentials.form.id",
            in: "{upstream: unix:/s, issuers: {i: {introspection: {credentials: {form: {KEY}}}}}}", good: ["a"],
            bad: notFile),
        KeyRow(
            "issuers.i.introspection.credentials.form.secret",
            in: "{upstream: unix:/s, issuers: {i: {introspection: {credentials: {form: {KEY}}}}}}", good: ["a"],
            bad: notSecret),
        KeyRow(
            "issuers.i.introspection.timeout", in: askPlace, good: ["2s"], bad: notDuration + [("2m", "from 1ms to 1m")]
        ),
        KeyRow(
            "issuers.i.introspection.cache", in: askPlace, good: ["0s", "1h"],
            bad: notDuration + [("2h", "from 0s to 1h")]),
        KeyRow("issuers.i.introspection.negative_cache", in: askPlace, good: ["0s"], bad: notDuration),
        KeyRow("issuers.i.introspection.stale_if_error", in: askPlace, good: ["0s", "24h"], bad: notDuration),
        KeyRow(
            "issuers.i.introspection.ca", in: askPlace, good: ["public.pem"],
            bad: notFile + [("nowhere", "No such file")]),
    ]
}
