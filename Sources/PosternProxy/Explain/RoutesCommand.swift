import PosternCore

/// `postern routes`: the policy as a table, in the order of the file.
public enum RoutesCommand {
    public static func run(path: String, format: OutputFormat) -> CommandOutput {
        switch ConfigurationFile.load(path: path) {
        case .failure(let problems):
            return CommandProblem(path: path, problems: problems.errors).output
        case .success(let loaded):
            let table = RouteListing(loaded.configuration)
            switch format {
            case .text: return CommandOutput(stdout: table.text)
            case .json: return CommandOutput(stdout: table.json.serialized() + "\n")
            }
        }
    }
}

/// The routes of a configuration, with what each needs and what it overrides.
struct RouteListing {
    struct Row {
        var route: Configuration.Route
        /// The rule in the form of proxy.yaml.
        var rule: JSONValue
        /// What the route has otherwise than the file as a whole: `timeout 5s`.
        var overrides: [String]
    }

    private static let overridable = ["timeout", "body", "forward_token", "upstream"]

    let rows: [Row]
    let defaultAccess: Configuration.DefaultAccess
    let service: String

    init(_ configuration: Configuration) {
        self.rows = configuration.routes.map { route in
            let rule = route.policy
            return Row(route: route, rule: rule, overrides: Self.overrides(rule))
        }
        self.defaultAccess = configuration.defaultAccess
        self.service = configuration.service
    }

    private static func overrides(_ rule: JSONValue) -> [String] {
        Self.overridable.compactMap { key in
            rule[key].map { "\(key) \($0.string ?? $0.serialized())" }
        }
    }

    /// The table for people; its last line is for what no route declares.
    var text: String {
        var rows = self.rows.map { row in
            [
                row.route.pattern.methodsText, row.route.pattern.pathText, AccessText.needs(row.route.access),
                row.overrides.joined(separator: ", "),
            ]
        }
        rows.append(["ANY", "(not declared)", AccessText.needs(self.defaultAccess.access), ""])
        return TerminalText.table(["METHOD", "PATH", "NEEDS", "OVERRIDES"], rows)
    }

    var json: JSONValue {
        let routes = self.rows.map { row in
            JSONValue.object([
                .init(name: "methods", value: .array(Self.methods(row.route.pattern))),
                .init(name: "path", value: .string(row.route.pattern.pathText)),
                .init(name: "rule", value: row.rule),
                .init(name: "needs", value: .string(AccessText.needs(row.route.access))),
                .init(name: "line", value: JSONValue(row.route.mark.line)),
            ])
        }
        return .object([
            .init(name: "service", value: .string(self.service)),
            .init(name: "default", value: .string(self.defaultAccess.rawValue)),
            .init(name: "routes", value: .array(routes)),
        ])
    }

    private static func methods(_ pattern: RoutePattern) -> [JSONValue] {
        switch pattern.methods {
        case .any: [.string("ANY")]
        case .named(let names): names.map { .string($0) }
        }
    }
}
