import PosternCore

/// `postern check`: everything that is wrong with a configuration, or looks like it.
public enum CheckCommand {
    /// - Parameters:
    ///   - strict: whether warnings make the exit code 1.
    ///   - document: a service's description that the policy is held against.
    public static func run(
        path: String, format: OutputFormat, strict: Bool = false, against document: CheckedDocument? = nil
    ) -> CommandOutput {
        let report = CheckReport(path: path, loaded: ConfigurationFile.load(path: path), against: document)
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
        /// A route lets callers through whom the service's description keeps out.
        case weaker
        /// No route is for an operation of the service.
        case missing
        /// A route is for nothing that the service's description has.
        case surplus
        /// Deliberate, and worth saying out loud. Not a warning.
        case note
    }

    var kind: Kind
    var mark: Mark
    /// The key path.
    var path: String
    var message: String
    var suggestion: String?
    /// The service's description, where the place is one in it.
    var file: String?
    /// Where the service's description says it, for what is said of a route.
    var origin: Place?

    /// A place in a service's description.
    struct Place: Equatable {
        var file: String
        var mark: Mark
        var path: String
    }

    var isWarning: Bool { self.kind != .error && self.kind != .note }

    /// `proxy.yaml:3:1: warning: shadowed: routes.GET /x: …`
    func line(file: String) -> String {
        let severity = self.isWarning ? "warning: \(self.kind.rawValue)" : self.kind.rawValue
        let subject = self.path.isEmpty ? "" : "\(self.path): "
        let hint = self.suggestion.map { ", did you mean \"\($0)\"?" } ?? ""
        let source = self.origin.map { " (\($0.file):\($0.mark.line):\($0.mark.column))" } ?? ""
        return TerminalText.safe(
            "\(self.file ?? file):\(self.mark.line):\(self.mark.column): \(severity): "
                + "\(subject)\(self.message)\(hint)\(source)")
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

    init(
        path: String, loaded: Result<LoadedConfiguration, ConfigurationProblems>,
        against document: CheckedDocument? = nil
    ) {
        self.path = path
        switch loaded {
        case .failure(let problems):
            self.configuration = nil
            let others = document?.problems ?? []
            self.findings = Self.sorted(problems.problems.map { CheckFinding($0) } + others)
        case .success(let loaded):
            self.configuration = loaded.configuration
            self.findings = Self.sorted(
                (loaded.warnings + KeyCheck.problems(of: loaded.configuration)).map { CheckFinding($0) }
                    + Self.policy(loaded.configuration) + PolicyNotes.findings(loaded.configuration)
                    + (document?.findings(loaded.configuration) ?? []))
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
