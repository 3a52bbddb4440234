extension KeyTable {
    private static let routePlace =
        "{upstream: unix:/s, issuers: {i: {issuer: x, audiences: any, keys: {file: jwk.json}}}, routes: {GET /r: {KEY}}}"

    static let notScopes = [
        ("[\"a b\"]", "a scope"), ("[]", "is empty"), ("[true]", "quote it"), ("{}", "not a mapping"),
        ("\"a\\\"b\"", "a scope"),
    ]

    static let route: [KeyRow] =
        [
            KeyRow("routes.GET /r.scopes", in: routePlace, good: ["a", "[a:b, c/d]"], bad: notScopes),
            KeyRow("routes.GET /r.any_scope", in: routePlace, good: ["a", "[a, b]"], bad: notScopes),
            KeyRow(
                "routes.GET /r.roles", in: routePlace, good: ["\"a b\"", "[é]"],
                bad: [("[]", "is empty"), ("5", "quote it")]),
            KeyRow(
                "routes.GET /r.claims", in: routePlace, good: ["{a: true, b: 5, c: x, d: [1, \"2\"], /e/f: -1.5e3}"],
                bad: [
                    ("{a: {}}", "not a mapping"), ("{a: {x}}", "wants quotes: \"{x}\""),
                    ("{a: \"{x}\"}", "the path has no parameter {x}"), ("{a: \"{x\"}", "is not a path parameter"),
                    ("{a: [1, \"{x}\"]}", "stands alone"), ("{a: []}", "is empty"), ("{a: yes}", "quote it"),
                    ("{a: 0x1}", "a decimal number"), ("{a: 1e999}", "too large"), ("{a: ~}", "has no value"),
                    ("{/a~: 1}", "the key must be a claim's name"), ("[]", "not a list"),
                ]),
            KeyRow(
                "routes.GET /r.issuers", in: routePlace, good: ["i", "[i]"],
                bad: [("j", "no issuer has this name"), ("[i, j]", "no issuer has this name"), ("[]", "is empty")]),
            KeyRow(
                "routes.GET /r.timeout", in: routePlace, good: ["1ms", "24h"],
                bad: notDuration + [("0s", "from 1ms to 24h")]),
            KeyRow("routes.GET /r.body", in: routePlace, good: ["unlimited", "0B", "10MiB"], bad: notSize),
            KeyRow("routes.GET /r.forward_token", in: routePlace, good: ["true", "false"], bad: notBoolean),
            KeyRow(
                "routes.GET /r.upstream", in: routePlace,
                good: ["\"http://h\"", "{url: unix:/s, queue: 0}", "{url: unix:/s, protocol: h2}"],
                bad: notUpstream + [("\"http://127.0.0.1:8080\"", "go in circles")]),
            KeyRow(
                "routes.GET /r.upgrade", in: routePlace, good: ["x", "[a, b]", "TLS"],
                bad: [
                    ("[\"a b\"]", "a word of letters"), ("websocket", "always allowed: leave it out"),
                    ("[WebSocket]", "always allowed"), ("[tls, H2C]", "can never be allowed"),
                    ("http", "go past the policy"),
                    ("[]", "is empty"), ("[a, A]", "stands here twice"),
                ]),
        ] + Self.routeUpstream

    /// The long form of a route's upstream has the keys of the file's.
    private static let routeUpstream: [KeyRow] = KeyTable.upstreamKeys.map { row in
        let place = row.place.dropFirst().dropLast()
        return KeyRow(
            "routes.GET /r.\(row.path)", in: "{upstream: unix:/s, routes: {GET /r: {\(place)}}}", good: row.good,
            bad: row.bad.map { ($0.value, $0.message) })
    }

    static let plain: [KeyRow] =
        [
            KeyRow(
                "cors",
                good: [
                    "{}", "{preflight: deny}", "{preflight: forward}", "{origins: \"https://a\"}", "{origins: \"*\"}",
                ],
                bad: [("deny", "must be a mapping"), ("{preflght: deny}", "did you mean \"preflight\"")]),
            KeyRow(
                "cors.preflight", in: corsPlace, good: ["deny", "forward"],
                bad: [("answer", "needs cors.origins"), ("den", "did you mean \"deny\"")]),
            KeyRow(
                "cors.origins", in: corsPlace,
                good: [
                    "\"*\"", "[\"https://a.b:8443\", \"http://[::1]:80\"]", "\"null\"", "[\"https://A.example\"]",
                ],
                bad: [
                    ("[a]", "an origin"), ("[\"https://a/\"]", "an origin"), ("[\"https://u@a\"]", "an origin"),
                    ("[\"ftp://a\"]", "an origin"), ("[\"https://*.a\"]", "an origin"), ("[]", "is empty"),
                    ("[\"*\", \"https://a\"]", "* allows every origin: remove it, or the others"),
                    ("[\"https://a\", \"https://A:443\"]", "is written twice"),
                ]),
            KeyRow(
                "cors.methods", in: corsAnswer, good: ["[]", "[GET, PURGE]", "PUT"],
                bad: [("[\"a b\"]", "a word"), ("[patch]", "did you mean \"PATCH\""), ("[\"*\"]", "without this key")]),
            KeyRow(
                "cors.headers", in: corsAnswer, good: ["[]", "[X-A, Authorization]"],
                bad: [("[\"a:\"]", "a header name"), ("\"*\"", "does not cover Authorization")]),
            KeyRow(
                "cors.expose", in: corsAnswer, good: ["[]", "[X-A]", "\"*\""], bad: [("[\"a:\"]", "a header name")]),
            KeyRow(
                "cors.max_age", in: corsAnswer, good: ["10m", "0s", "24h"],
                bad: notDuration + [("1500ms", "must be whole seconds"), ("25h", "from 0s to 24h")]),
            KeyRow("cors.credentials", in: corsAnswer, good: ["false", "true"], bad: notBoolean),
            KeyRow(
                "paths", good: ["{}"],
                bad: [("allow", "must be a mapping"), ("{semicolons: allow}", "did you mean \"semicolon\"")]),
            KeyRow("paths.empty_segments", in: pathsPlace, good: ["allow", "deny"], bad: [("true", "one of")]),
            KeyRow(
                "paths.encoded_slash", in: pathsPlace, good: ["allow", "deny"],
                bad: [("alow", "did you mean \"allow\"")]),
            KeyRow("paths.semicolon", in: pathsPlace, good: ["allow", "deny"], bad: [("[allow]", "not a list")]),
            KeyRow(
                "limits", good: ["{}"], bad: [("{heads: 1KiB}", "did you mean \"head\""), ("5", "must be a mapping")]),
            KeyRow(
                "limits.head", in: limitsPlace, good: ["1KiB", "1MiB"],
                bad: notSize + [("1023B", "from 1KiB to 1MiB"), ("2MiB", "from 1KiB to 1MiB")]),
            KeyRow(
                "limits.target", in: limitsPlace, good: ["64B"],
                bad: notSize + [("33KiB", "cannot be larger than limits.head (32KiB)"), ("1B", "from 64B")]),
            KeyRow(
                "limits.headers", in: limitsPlace, good: ["1", "10000"], bad: notInteger + [("0", "from 1 to 10000")]),
            KeyRow(
                "limits.body", in: limitsPlace, good: ["unlimited", "0B", "1GiB"],
                bad: notSize + [("unlimitd", "did you mean \"unlimited\"")]),
            KeyRow("limits.connections", in: limitsPlace, good: ["1"], bad: notInteger + [("0", "from 1")]),
            KeyRow(
                "limits.token", in: limitsPlace, good: ["32KiB"],
                bad: notSize + [("33KiB", "cannot be larger than limits.head")]),
            KeyRow(
                "limits.identity", in: limitsPlace, good: ["64B", "64KiB"],
                bad: notSize + [("65KiB", "from 64B to 64KiB")]),
            KeyRow(
                "timeouts", good: ["{}"],
                bad: [("{body-idle: 1s}", "did you mean \"body_idle\""), ("5s", "must be a mapping")]),
            KeyRow(
                "timeouts.drain", in: timeoutsPlace, good: ["0s", "24h"], bad: notDuration + [("25h", "from 0s to 24h")]
            ),
            KeyRow(
                "timeouts.drain_delay", in: timeoutsPlace, good: ["0s", "1h"],
                bad: notDuration + [("2h", "from 0s to 1h")]),
        ]
        + ["head", "idle", "body_idle", "connect", "response", "upstream_idle", "tunnel_idle"].map {
            KeyRow(
                "timeouts.\($0)", in: timeoutsPlace, good: ["1ms", "24h"],
                bad: notDuration + [("0s", "from 1ms to 24h")])
        } + [
            KeyRow(
                "log", good: ["{}"], bad: [("info", "must be a mapping"), ("{levl: info}", "did you mean \"level\"")]),
            KeyRow(
                "log.level", in: logPlace, good: ["trace", "critical"],
                bad: [("warn", "did you mean \"warning\""), ("5", "one of")]),
            KeyRow("log.format", in: logPlace, good: ["json"], bad: [("text", "must be \"json\"")]),
            KeyRow(
                "log.access", in: logPlace, good: ["all", "denied", "off"],
                bad: [("false", "one of \"all\", \"denied\", \"off\"")]),
        ]

    private static let corsPlace = "{upstream: unix:/s, cors: {KEY}}"
    private static let corsAnswer = "{upstream: unix:/s, cors: {origins: [\"https://a\"], KEY}}"
    private static let pathsPlace = "{upstream: unix:/s, paths: {KEY}}"
    private static let limitsPlace = "{upstream: unix:/s, limits: {KEY}}"
    private static let timeoutsPlace = "{upstream: unix:/s, timeouts: {KEY}}"
    private static let logPlace = "{upstream: unix:/s, log: {KEY}}"
}
