import PosternCore
import Testing

/// A policy for cross-origin requests: routes of each kind, and catch-alls.
enum CorsPolicy {
    static let routes: [(key: String, access: Access)] = [
        ("GET /public", .open), ("GET|PUT /any", .required(Requirement())), ("DELETE /any", .denied),
        ("OPTIONS /asked", .required(Requirement(scopes: ["x"]))), ("GET /asked", .required(Requirement())),
        ("POST /asked", .denied), ("OPTIONS /shut", .denied), ("GET /shut", .open), ("OPTIONS /only", .open),
        ("ANY /all", .optional), ("ANY /deep/{rest...}", .denied), ("GET /deep/open", .open),
        ("GET /own/{user}", .required(Requirement())), ("PURGE /cache", .open),
    ]

    static let origin = "https://app.example"

    /// A gate; `rules` nil: preflights are forwarded. `cors` false: they are requests like any other.
    static func gate(
        _ rules: CrossOriginRules? = nil, cors: Bool = true, default access: Access = .denied
    ) throws -> Gate {
        let patterns = try Self.routes.map { try RoutePattern.parse($0.key, options: TargetOptions()) }
        func rule(_ label: String) -> RouteRules {
            RouteRules(label: label, responseTimeout: 1, bodyLimit: nil, forwardToken: true, upstream: 0)
        }
        return Gate(
            target: TargetOptions(), tokenLimit: 400, routes: try RouteTable(patterns),
            policy: PolicyCatalogue(
                zip(patterns, Self.routes).map { (pattern: $0, access: $1.access) }, default: access),
            rules: Self.routes.map { rule($0.key) }, fallback: rule("default"), identity: IdentityRules(),
            generation: 1, crossOrigin: cors ? CrossOrigin(rules, patterns: patterns) : nil)
    }

    static func head(_ line: String, _ fields: [String]) -> String {
        "\(line) HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// A preflight as a browser sends it.
    static func preflight(
        _ path: String, _ method: String, origin: String = CorsPolicy.origin, headers: String? = nil
    ) -> String {
        let names = headers.map { ["Access-Control-Request-Headers: \($0)"] } ?? []
        return Self.head(
            "OPTIONS \(path)", ["Origin: \(origin)", "Access-Control-Request-Method: \(method)"] + names)
    }

    /// What a head comes to, in words; and the answer's lines, where the proxy answers.
    static func admit(_ text: String, _ gate: Gate) throws -> (words: String, fields: [String], route: Int) {
        let read = try #require(try readRequest(text))
        var route = 99
        var target = CheckedTarget(path: .none)
        var captures = Captures()
        switch gate.admit(read.bytes.span.bytes, read.head, route: &route, target: &target, captures: &captures) {
        case .permit(let permit): return ("\(permit.isPreflight ? "preflight" : "permit") \(permit.route)", [], route)
        case .verify: return ("verify", [], route)
        case .answer(let answer):
            let lines = String(decoding: answer.fields, as: UTF8.self).split(separator: "\r\n").map(String.init)
            return (answer.isAllowed ? "answer" : "silence", lines, route)
        case .refuse(let refusal): return (refusal.code.rawValue, [], route)
        }
    }
}
