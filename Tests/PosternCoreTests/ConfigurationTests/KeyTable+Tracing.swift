extension KeyTable {
    static let tracing: [KeyRow] = [
        KeyRow(
            "tracing", good: ["{endpoint: \"http://h:4318\"}"],
            bad: [
                ("true", "must be a mapping"), ("{}", "is required"),
                ("{endpoint: \"http://h\", samle: 1}", "did you mean \"sample\""),
            ]),
        KeyRow(
            "tracing.endpoint", in: "{upstream: unix:/s, tracing: {KEY}}",
            good: ["\"http://h:4318\"", "\"https://h/v1/traces?x=y\"", "\"http://[::1]:4318/\""],
            bad: notURL + [
                ("\"http://u:p@h\"", "cannot hold credentials: send them with tracing.headers"),
                ("\"http://h/#f\"", "cannot hold a fragment"),
                ("\"grpc://h:4317\"", "the scheme must be http or https"),
            ]),
        KeyRow(
            "tracing.sample", in: place, good: ["0", "1", "0.1", "1e-3", "\"${SHARE:-0.5}\""],
            bad: [
                ("1.1", "a number from 0 to 1"), ("-0.1", "a number from 0 to 1"), ("10%", "a number from 0 to 1"),
                ("true", "a number from 0 to 1"), (".5", "write a decimal number"), ("[1]", "not a list"),
                ("\"${NUMBER}\"", "a number from 0 to 1"),
            ]),
        KeyRow(
            "tracing.parents", in: place, good: ["follow", "ignore"],
            bad: [("folow", "did you mean \"follow\""), ("true", "one of"), ("[follow]", "not a list")]),
        KeyRow(
            "tracing.limit", in: place, good: ["1", "1000000"],
            bad: notInteger + [("0", "from 1 to 1000000"), ("1000001", "from 1")]),
        KeyRow(
            "tracing.service_name", in: place, good: ["mt5-api", "\"a name\""],
            bad: [("\"\"", "it is empty"), ("7", "quote it")]),
        KeyRow(
            "tracing.headers", in: place, good: ["{}", "{X-Key: abc, Authorization: {file: token}}"],
            bad: [
                ("[a]", "not a list"), ("{\"a b\": x}", "header name"), ("{Host: x}", "HTTP itself sets this header"),
                ("{content-type: x}", "the export itself sets this header"), ("{X: {file: nowhere}}", "No such file"),
            ]),
        KeyRow(
            "tracing.timeout", in: place, good: ["1ms", "1m"],
            bad: notDuration + [("0s", "from 1ms to 1m"), ("61s", "from 1ms to 1m")]),
        KeyRow("tracing.ca", in: place, good: ["own.pem"], bad: notFile + [("nowhere", "No such file")]),
    ]

    private static let place = "{upstream: unix:/s, tracing: {endpoint: \"https://h\", KEY}}"
}
