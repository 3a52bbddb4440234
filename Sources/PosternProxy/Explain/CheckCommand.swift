import PosternCore

/// `postern check`: everything that is wrong with a configuration, or looks like it.
public enum CheckCommand {
    /// - Parameter strict: whether warnings make the exit code 1.
    public static func run(path: String, format: OutputFormat, strict: Bool = false) -> CommandOutput {
        let report = CheckReport(path: path, loaded: ConfigurationFile.load(path: path))
        let text =
            switch format {
            case .text: report.text
            case .json: report.json.serialized() + "\n"
            }
        return CommandOutput(stdout: text, exitCode: report.exitCode(strict: strict))
    }
}

/// One line of `check`.
struct CheckFinding: Equatable {
    /// What sort of thing it is; the order is that of the report.
    enum Kind: String, CaseIterable {
        /// The file is refused.
        case error
        /// No request can come to the route, or nobody can meet its rule.
        case unreachable
        /// Other routes take every request of some of its methods.
        case shadowed
        /// Works as written; probably something else was meant.
        case suspicious
        /// Deliberate, and worth saying out loud. Not a warning.
        case note
    }

    var kind: Kind
    var mark: Mark
    /// The key path.
    var path: String
    var message: String
    var suggestion: String?

    var isWarning: Bool { self.kind != .error && self.kind != .note }

    /// `proxy.yaml:3:1: warning: shadowed: routes.GET /x: …`
    func line(file: String) -> String {
        let severity = self.isWarning ? "warning: \(self.kind.rawValue)" : self.kind.rawValue
        let subject = self.path.isEmpty ? "" : "\(self.path): "
        let hint = self.suggestion.map { ", did you mean \"\($0)\"?" } ?? ""
        return TerminalText.safe(
            "\(file):\(self.mark.line):\(self.mark.column): \(severity): \(subject)\(self.message)\(hint)")
    }
}

extension CheckFinding {
    init(_ problem: ConfigurationProblem) {
        self.init(
            kind: problem.severity == .error ? .error : .suspicious, mark: problem.mark, path: problem.path,
            message: problem.message, suggestion: problem.suggestion)
    }

    init(_ warning: PolicyWarning, route: Configuration.Route) {
        let kind: Kind =
            switch warning.kind {
            case .unreachable: .unreachable
            case .shadowed: .shadowed
            case .suspicious: .suspicious
            }
        self.init(kind: kind, mark: route.mark, path: "routes.\(route.pattern.text)", message: warning.message)
    }
}

/// All that `check` found.
struct CheckReport {
    let path: String
    /// Errors first, then warnings by kind, then notes; each by place.
    let findings: [CheckFinding]
    /// What was checked; nil where it could not be read.
    let configuration: Configuration?

    init(path: String, loaded: Result<LoadedConfiguration, ConfigurationProblems>) {
        self.path = path
        switch loaded {
        case .failure(let problems):
            self.configuration = nil
            self.findings = Self.sorted(problems.problems.map { CheckFinding($0) })
        case .success(let loaded):
            self.configuration = loaded.configuration
            self.findings = Self.sorted(
                (loaded.warnings + KeyCheck.problems(of: loaded.configuration)).map { CheckFinding($0) }
                    + Self.policy(loaded.configuration) + PolicyNotes.findings(loaded.configuration))
        }
    }

    private static func policy(_ configuration: Configuration) -> [CheckFinding] {
        let routes = configuration.routes
        do throws(RouteConflict) {
            let table = try RouteTable(routes.map(\.pattern))
            let warnings = PolicyAnalysis.warnings(
                table: table, routes: routes.map { ($0.pattern, $0.access) }, options: configuration.paths)
            return warnings.map { CheckFinding($0, route: routes[$0.route]) }
        } catch {
            let message = "is the same as \(routes[error.first].pattern.text) but for parameter names"
            let second = routes[error.second]
            return [
                CheckFinding(
                    kind: .error, mark: second.mark, path: "routes.\(second.pattern.text)", message: message)
            ]
        }
    }

    private static func sorted(_ findings: [CheckFinding]) -> [CheckFinding] {
        CheckFinding.Kind.allCases.flatMap { kind in
            findings.filter { $0.kind == kind }.enumerated()
                .sorted { ($0.element.mark, $0.offset) < ($1.element.mark, $1.offset) }
                .map(\.element)
        }
    }

    var errors: Int { self.findings.count { $0.kind == .error } }
    var warnings: Int { self.findings.count { $0.isWarning } }

    func exitCode(strict: Bool) -> Int32 {
        if self.errors > 0 { return ExitStatus.configuration }
        return strict && self.warnings > 0 ? ExitStatus.negative : ExitStatus.fine
    }
}
