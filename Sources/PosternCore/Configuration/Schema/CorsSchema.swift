extension Section {
    static let cors = Section(
        summary:
            "Cross-origin requests; all but preflight is for preflight: answer, which origins alone stand for, too",
        keys: [
            Key(
                "preflight", .choice(["deny", "forward", "answer"]), default: "deny",
                "What a preflight gets: what every request gets, the service's answer, or the proxy's"),
            Key(
                "origins", .list(of: .text(.origin), minimum: 1, single: true),
                "Origins whose pages may call; * for all"),
            Key(
                "methods", .list(of: .text(.token), minimum: 0, single: true), default: [],
                "Methods they may use; none: those that the routes declare for the path"),
            Key(
                "headers", .list(of: .text(.fieldName), minimum: 0, single: true), default: [],
                "Headers they may send; none: those that are asked for"),
            Key(
                "expose", .list(of: .text(.fieldName), minimum: 0, single: true), default: [],
                "Headers they may read, besides WWW-Authenticate, X-Request-Id and Retry-After"),
            Key(
                "max_age", .duration(0...Nanoseconds.day), default: "10m",
                "How long a browser may keep the answer to a preflight; whole seconds"),
            Key("credentials", .boolean, default: "false", "Whether browsers send cookies along"),
        ])
}
