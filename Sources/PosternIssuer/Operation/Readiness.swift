import PosternCore

/// Whether the issuer can serve, and what is missing.
struct Readiness: Equatable, Sendable {
    /// Whether the store answers.
    var storeAnswers: Bool
    /// Whether the process has been told to stop.
    var isStopping: Bool
    /// Nil where no Redis is configured. Tokens are issued without it: it is reported, and no reason to send nobody here.
    var redisIsUp: Bool?

    /// Keys are loaded before anything listens.
    var isReady: Bool { self.storeAnswers && !self.isStopping }

    var json: JSONValue {
        var missing: [JSONValue] = []
        if !self.storeAnswers { missing.append(.record([("part", .string("store"))])) }
        if self.isStopping { missing.append(.record([("part", .string("stopping"))])) }
        var members: [(String, JSONValue)] = [
            ("status", .string(self.isReady ? "ready" : "not ready")), ("missing", .array(missing)),
        ]
        if let redisIsUp { members.append(("redis", .string(redisIsUp ? "up" : "down"))) }
        return .record(members)
    }
}
