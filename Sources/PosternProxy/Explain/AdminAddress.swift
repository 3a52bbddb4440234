import PosternCore

/// Finds where a running process listens for its operators, and asks no more of the file than that: a process goes on
/// with its old configuration when the file has been broken since, and the health check may run without its secrets.
enum AdminAddress {
    static func find(path: String) -> Result<Configuration.Admin, CommandProblem> {
        let environment = ConfigurationFile.environment(relativeTo: path)
        // The environment finds files beside the configuration, and so the configuration itself.
        let name = path.hasPrefix("/") ? path : path.split(separator: "/").last.map(String.init) ?? path
        return environment.file(name)
            .mapError { Self.problems($0) }
            .flatMap { YAMLReader.read($0) }
            .flatMap { ConfigurationLoader.load(Self.onlyAdmin(of: $0), environment: environment) }
            .map(\.configuration.admin)
            .mapError { CommandProblem(path: path, problems: $0.errors) }
    }

    private static func problems(_ problem: ConfigurationEnvironment.FileProblem) -> ConfigurationProblems {
        ConfigurationProblems([
            ConfigurationProblem(
                mark: Mark(line: 1, column: 1), path: "", message: "the file cannot be read: \(problem.reason)")
        ])
    }

    /// The document with `admin` alone, and beside it the least that makes it whole.
    private static func onlyAdmin(of document: ConfigurationNode) -> ConfigurationNode {
        guard case .mapping(let pairs, let mark) = document else { return document }
        func scalar(_ text: String) -> ConfigurationNode { .scalar(text, style: .plain, mark: mark) }
        func pair(_ key: String, _ value: ConfigurationNode) -> ConfigurationNode.Pair {
            ConfigurationNode.Pair(key: scalar(key), value: value)
        }
        let admin = pairs.filter { pair in
            if case .scalar("admin", _, _) = pair.key { true } else { false }
        }
        let rest = [
            pair("version", scalar("1")), pair("listen", scalar("unix:/none")),
            pair("upstream", scalar("unix:/none/upstream")),
        ]
        return .mapping(rest + admin, mark: mark)
    }
}
