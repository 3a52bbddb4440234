import FoundationEssentials
import PosternCore

/// Which configuration a command is about, and what it says when that cannot be used.
public enum ConfigurationPath {
    /// The file in the working folder.
    public static let defaultPath = "proxy.yaml"
    /// The environment variable that names another one.
    public static let variable = "POSTERN_CONFIG"

    /// The path to use: what the command line says, else the environment, else the file in the working folder.
    public static func resolve(option: String?) -> String {
        Self.resolve(option: option, environment: ProcessInfo.processInfo.environment)
    }

    static func resolve(option: String?, environment: [String: String]) -> String {
        if let option, !option.isEmpty { return option }
        if let named = environment[Self.variable], !named.isEmpty { return named }
        return Self.defaultPath
    }

    /// The configuration at `path`, compiled as the proxy does it.
    static func snapshot(path: String) -> Result<Snapshot, CommandProblem> {
        switch ConfigurationFile.loadUsable(path: path) {
        case .failure(let problems):
            return .failure(CommandProblem(path: path, problems: problems.errors))
        case .success(let loaded):
            do {
                return .success(
                    try Snapshot(loaded.configuration, generation: 0, labels: RouteLabels(), loops: 1))
            } catch {
                let problem = ConfigurationProblem(mark: Mark(line: 1, column: 1), path: "", message: "\(error)")
                return .failure(CommandProblem(path: path, problems: [problem]))
            }
        }
    }
}

/// A configuration that a command cannot go on with.
struct CommandProblem: Error, Equatable {
    var path: String
    var problems: [ConfigurationProblem]

    var output: CommandOutput {
        let lines = self.problems.map { TerminalText.safe($0.line(file: self.path)) + "\n" }
        return CommandOutput(stderr: lines.joined(), exitCode: ExitStatus.configuration)
    }
}
