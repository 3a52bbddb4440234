/// The rows of `KeyTableTests`.
enum KeyTable {
    static let rows =
        Self.top + Self.network + Self.issuer + Self.keys + Self.introspection + Self.redis + Self.tracing + Self.route
        + Self.plain

    // Bad values that many keys share.
    static let notBoolean = [
        ("yes", "true or false"), ("\"true\"", "remove the quotes"), ("1", "true or false"), ("[]", "not a list"),
    ]
    static let notDuration = [
        ("5", "the unit is missing"), ("5d", "must be a duration"), ("1.5s", "only whole numbers"), ("-1s", "must be"),
        ("[1s]", "not a list"), ("9223372036854775807h", "must be a duration"),
    ]
    static let notSize = [
        ("5", "the unit is missing"), ("5MB", "write \"5MiB\""), ("-5B", "must be"), ("{}", "not a mapping"),
    ]
    static let notInteger = [
        ("\"7\"", "remove the quotes"), ("7.5", "a whole number"), ("0x10", "a whole number"),
        ("010", "a whole number"),
        ("-1", "a whole number"), ("99999999999999999999", "a whole number"), ("[7]", "not a list"),
    ]
    static let notAddress = [
        ("8080", "the host is missing"), ("host", "the port is missing"), ("::1:80", "wants brackets"),
        ("host:99999", "from 0 to 65535"), ("unix:x", "absolute path"),
    ]
    static let notUpstream = [
        ("127.0.0.1:80", "it has no scheme"), ("ftp://h", "the scheme must be http or https"),
        ("http://h/base", "cannot hold a path"), ("http://u:p@h", "cannot hold credentials"), ("http://h:0", "from 1"),
        ("unix:x", "absolute path"), ("[http://h]", "not a list"),
    ]
    static let notClaim = [
        ("\"\"", "it is empty"), ("/a~2", "a JSON pointer"), ("\"a\\nb\"", "a claim's name"), ("true", "quote it"),
    ]
    static let notURL = [
        ("host", "it has no scheme"), ("ftp://h/", "the scheme must be"), ("https://", "the host is missing"),
    ]
    static let notFile = [("5", "quote it"), ("[]", "not a list"), ("\"\"", "it is empty")]
    static let notSecret = [
        ("\"\"", "must be not empty"), ("{file: nowhere}", "No such file"), ("[a]", "not a list"),
        ("{fil: x}", "did you mean \"file\""),
    ]
    static let notShortSecret = [
        ("abc", "at least 32 bytes"), ("{file: short}", "at least 32 bytes"), ("\"${NOPE}\"", "NOPE is not set"),
    ]

    private static let top: [KeyRow] = [
        KeyRow(
            "version", good: ["1", "\"${ONE:-1}\""],
            bad: [("2", "must be 1"), ("\"1\"", "quotes"), ("1.0", "must be 1")]),
        KeyRow("forward_token", good: ["true", "false", "\"${X:-true}\""], bad: notBoolean),
        KeyRow(
            "default", good: ["deny", "public"],
            bad: [("publik", "did you mean \"public\""), ("open", "one of"), ("[deny]", "not a list")]),
        KeyRow(
            "tunnel_at_expiry", good: ["close", "keep"],
            bad: [("open", "one of"), ("kep", "did you mean \"keep\""), ("[close]", "not a list")]),
        KeyRow(
            "event_loops", good: ["auto", "1", "256", "\"${NUMBER}\""],
            bad: notInteger + [("0", "from 1 to 256"), ("257", "from 1"), ("aut", "did you mean \"auto\"")]),
        KeyRow(
            "trusted_proxies", good: ["[]", "[10.0.0.0/8]", "[unix, \"fd00::/8\", 192.0.2.1/32]", "[0.0.0.0/0]"],
            bad: [
                ("[10.0.0.1/8]", "a network such as \"10.0.0.0/8\""), ("10.0.0.0/8", "must be a list"),
                ("[10.0.0.1]", "a network"), ("[\"fd00::/129\"]", "a network"), ("[UNIX]", "or \"unix\""),
            ]),
        KeyRow(
            "realm", good: ["x", "\"a b\"", "\"${HOST}\""],
            bad: [
                ("\"a\\\"b\"", "printable ASCII"), ("é", "printable ASCII"), ("true", "quote it: \"true\""),
                ("5", "quote it"), ("\"${ODD}\"", "printable ASCII"), ("\"${EMPTY}\"", "must be"),
            ]),
        KeyRow(
            "service", good: ["mt5-api", "a.b_c"],
            bad: [
                ("a b", "1 to 64 letters"), ("a/b", "1 to 64"), ("\"${HOST\"", "is not closed"),
                ("{a}", "quotes: \"{a}\""),
            ]),
        KeyRow(
            "issuers", good: ["{i: {issuer: x, audiences: any, keys: {file: jwk.json}}}"],
            bad: [
                ("{}", "names no issuer"), ("[]", "not a list"), ("x", "must be a mapping"),
                ("{a b: {}}", "the key must be 1 to 64"),
            ]),
        KeyRow(
            "identity", good: ["{}", "{X-A: user, X-B: a.b/c, X-C: /a/0/b~1c}"],
            bad: [
                ("{Host: user}", "cannot hold an identity"), ("{X_A: user, x-a: name}", "is the same header as X_A"),
                ("{a b: user}", "the key must be a header name"), ("{X-A: true}", "quote it"),
                ("{X-A: /a~}", "JSON pointer"), ("[]", "not a list"), ("{X-A: [user]}", "not a list"),
            ]),
        KeyRow(
            "routes", good: ["{}", "{GET /r: public, POST /r: deny}"],
            bad: [
                ("{GET r: public}", "slash"), ("[GET /r]", "not a list"),
                ("{GET /r: {}}", "needs a token, but no issuers"), ("{GET /r: open}", "one of \"public\""),
                ("{GET /r: [public]}", "not a list"), ("{\"GET|POST /r\": public, POST /r: deny}", "same requests as"),
            ]),
    ]

    private static let listener = "{upstream: unix:/s, listen: [{address: 127.0.0.1:1, KEY}]}"
    private static let upstreamPlace = "{upstream: {url: unix:/s, KEY}}"

    private static let network: [KeyRow] =
        [
            KeyRow(
                "listen",
                good: ["127.0.0.1:1", "[127.0.0.1:1, unix:/p]", "{address: 127.0.0.1:0}", "[{address: \"[::]:1\"}]"],
                bad: notAddress + [
                    ("[]", "is empty"), ("[127.0.0.1:1, 0.0.0.0:1]", "the same address as the entry"),
                    ("{}", "address: is required"),
                ]),
            KeyRow(
                "listen[0].address", in: "{upstream: unix:/s, listen: [{KEY}]}", good: ["127.0.0.1:1"], bad: notAddress),
            KeyRow(
                "listen[0].tls", in: listener, good: ["{certificate: own.pem, key: own.key}"],
                bad: [
                    ("{}", "key: is required"), ("true", "must be a mapping"),
                    ("{certificate: own.pem, key: own.key, client_auth: request}", "needs client_ca"),
                ]),
            KeyRow("listen[0].tls.certificate", in: tls, good: ["own.pem"], bad: notFile + [("no", "cannot be read")]),
            KeyRow("listen[0].tls.key", in: tls, good: ["own.key"], bad: notFile + [("no", "cannot be read")]),
            KeyRow("listen[0].tls.client_ca", in: tls, good: ["own.pem"], bad: notFile + [("no", "cannot be read")]),
            KeyRow(
                "listen[0].tls.client_auth",
                in: "{upstream: unix:/s, listen: [{address: 127.0.0.1:1, tls: {client_ca: own.pem, KEY}}]}",
                good: ["require", "request"], bad: [("requir", "did you mean \"require\"")]),
            KeyRow(
                "listen[0].proxy_protocol",
                in: "{upstream: unix:/s, trusted_proxies: [10.0.0.0/8], listen: [{address: 127.0.0.1:1, KEY}]}",
                good: ["false", "true"], bad: notBoolean),
            KeyRow(
                "admin", good: ["127.0.0.1:1", "unix:/a", "{address: 127.0.0.1:1, status: 0.0.0.0:2}", "{}"],
                bad: notAddress + [("0.0.0.0:8080", "that clients connect to"), ("[]", "not a list")]),
            KeyRow(
                "admin.address", in: "{upstream: unix:/s, admin: {KEY}}", good: ["127.0.0.1:1"],
                bad: notAddress + [("127.0.0.1:8080", "that clients connect to (line 1)")]),
            KeyRow(
                "admin.status", in: "{upstream: unix:/s, admin: {KEY}}", good: ["0.0.0.0:2"],
                bad: notAddress + [
                    ("0.0.0.0:9901", "another address than admin"), ("127.0.0.1:8080", "that clients connect to"),
                ]),
            KeyRow(
                "upstream", in: "{KEY}",
                good: [
                    "\"http://h\"", "\"https://h\"", "\"http://h:1/\"", "\"http://[::1]:1\"", "unix:/s",
                    "{url: \"http://h\"}",
                ],
                bad: notUpstream + [
                    ("\"https://a_b\"", "give tls.server_name"), ("\"http://127.0.0.1:8080\"", "go in circles"),
                    ("{}", "url: is required"),
                ]),
        ] + Self.upstreamKeys

    /// Rows whose place begins with `{upstream: {`.
    static let upstreamKeys: [KeyRow] = [
        KeyRow(
            "upstream.url", in: "{upstream: {KEY}}", good: ["unix:/s", "\"https://10.0.0.1:1\""],
            bad: notUpstream + [("\"https://a_b\"", "give tls.server_name")]),
        KeyRow("upstream.connections", in: upstreamPlace, good: ["1", "1000000"], bad: notInteger + [("0", "from 1")]),
        KeyRow("upstream.queue", in: upstreamPlace, good: ["0"], bad: notInteger),
        KeyRow(
            "upstream.protocol", in: upstreamPlace, good: ["http1", "h2", "auto"],
            bad: [("http2", "did you mean \"http1\""), ("1", "http1")]),
        KeyRow("upstream.tls", in: upstreamPlace, good: [], bad: [("{}", "only with an https URL")]),
        KeyRow(
            "upstream.tls", in: "{upstream: {url: \"https://h\", KEY}}",
            good: ["{}", "{certificate: own.pem, key: own.key}"],
            bad: [("{certificate: own.pem}", "needs key"), ("{key: own.key}", "needs certificate"), ("1", "a mapping")]),
        KeyRow("upstream.tls.ca", in: clientTLS, good: ["own.pem"], bad: notFile + [("no", "cannot be read")]),
        KeyRow(
            "upstream.tls.server_name", in: clientTLS, good: ["h.test"],
            bad: notFile + [("10.0.0.1", "must be a host name"), ("a_b", "must be a host name")]),
        KeyRow(
            "upstream.tls.certificate", in: "{upstream: {url: \"https://h\", tls: {key: own.key, KEY}}}",
            good: ["own.pem"], bad: notFile + [("no", "cannot be read")]),
        KeyRow(
            "upstream.tls.key", in: "{upstream: {url: \"https://h\", tls: {certificate: own.pem, KEY}}}",
            good: ["own.key"], bad: notFile + [("no", "cannot be read")]),
        KeyRow(
            "upstream.health", in: upstreamPlace, good: ["{path: /h}", "{path: /h, interval: 1m, failures: 1}"],
            bad: [
                ("{}", "path: is required"), ("/h", "must be a mapping"), ("true", "must be a mapping"),
                ("{path: /h, failure: 1}", "did you mean \"failures\""),
            ]),
        KeyRow(
            "upstream.health.path", in: "{upstream: {url: unix:/s, health: {KEY}}}", good: ["/h", "\"/h?deep=1\""],
            bad: [
                ("h", "begins with \"/\""), ("\"/a b\"", "begins with"), ("\"/a\\r\\nX: y\"", "begins with"),
                ("\"\"", "begins with"), ("[/h]", "not a list"),
            ]),
        KeyRow(
            "upstream.health.interval", in: "{upstream: {url: unix:/s, health: {path: /h, KEY}}}",
            good: ["5s", "1ms", "24h"], bad: notDuration + [("0s", "from 1ms to 24h"), ("25h", "from 1ms to 24h")]),
        KeyRow(
            "upstream.health.failures", in: "{upstream: {url: unix:/s, health: {path: /h, KEY}}}",
            good: ["3", "1", "1000"], bad: notInteger + [("0", "from 1 to 1000"), ("1001", "from 1 to 1000")]),
        KeyRow(
            "upstream.retry", in: upstreamPlace, good: ["{}"],
            bad: [("1", "must be a mapping"), ("{attempt: 1}", "did you mean \"attempts\"")]),
        KeyRow(
            "upstream.retry.attempts", in: "{upstream: {url: unix:/s, retry: {KEY}}}", good: ["0", "1"],
            bad: notInteger + [("2", "from 0 to 1")]),
    ]

    private static let tls = "{upstream: unix:/s, listen: [{address: 127.0.0.1:1, tls: {KEY}}]}"
    private static let clientTLS = "{upstream: {url: \"https://h\", tls: {KEY}}}"
}
