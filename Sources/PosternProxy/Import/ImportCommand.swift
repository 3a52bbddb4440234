import PosternCore

/// `postern import openapi`: a policy made of a service's description of itself.
public enum ImportCommand {
    public static func run(_ request: ImportRequest) -> CommandOutput {
        let name = DescriptionFile.name(of: request.file)
        switch DescriptionFile.load(path: request.file, basePath: request.basePath) {
        case .failure(let problems):
            return CommandProblem(path: name, problems: problems.errors).output
        case .success(let description):
            do throws(TemplatesOverlap) {
                let draft = try PolicyDraft(description, silent: request.silent)
                return Self.output(of: draft, request, name: name)
            } catch {
                let message = "the paths of the document match the same requests in too many ways"
                let problem = ConfigurationProblem(mark: Mark(line: 1, column: 1), path: "paths", message: message)
                return CommandProblem(path: name, problems: [problem]).output
            }
        }
    }

    private static func output(of draft: PolicyDraft, _ request: ImportRequest, name: String) -> CommandOutput {
        if let refusal = Self.refusal(of: draft, request, name: name) { return refusal }
        let text = draft.yaml(source: name, surroundings: request.surroundings)
        var warnings = draft.remarksToShow.map { place, message in
            let problem = ConfigurationProblem(.warning, mark: place.mark, path: place.path, message: message)
            return TerminalText.safe(problem.line(file: name)) + "\n"
        }.joined()
        guard let output = request.output else { return CommandOutput(stdout: text, stderr: warnings) }
        switch NewFile.write(text, path: output, replacing: request.force) {
        case nil:
            warnings += TerminalText.safe("\(output): \(draft.census)") + "\n"
            return CommandOutput(stderr: warnings)
        case .exists:
            return .usage("\(output) is there already; --force replaces it")
        case .system(let reason):
            let line = TerminalText.safe("\(output) cannot be written: \(reason)")
            return CommandOutput(stderr: "Error: \(line)\n", exitCode: ExitStatus.configuration)
        }
    }

    /// What is said where the policy would be refused by `check`, because of an option or by its size.
    private static func refusal(of draft: PolicyDraft, _ request: ImportRequest, name: String) -> CommandOutput? {
        let stand = PolicyDraft.Surroundings(
            upstream: "http://127.0.0.1:1", issuer: "http://issuer.example", audiences: ["any"])
        let text = draft.yaml(source: name, surroundings: request.surroundings ?? stand)
        let environment = ConfigurationEnvironment(
            variable: { _ in nil }, file: { _ in .failure(.init(reason: "no file is read here")) })
        guard case .failure(let problems) = ConfigurationFile.load(bytes: Array(text.utf8), environment: environment)
        else { return nil }
        let lines = problems.errors.map { problem in
            let subject = Self.option(of: problem.path) ?? (problem.path.isEmpty ? "the policy" : problem.path)
            return "Error: " + TerminalText.safe("\(subject): \(problem.message)") + "\n"
        }
        let isUsage = problems.errors.allSatisfy { Self.option(of: $0.path) != nil }
        return CommandOutput(
            stderr: lines.joined(), exitCode: isUsage ? ExitStatus.usage : ExitStatus.configuration)
    }

    /// The option that a key's value came from.
    private static func option(of path: String) -> String? {
        let options = [
            ("upstream", "--upstream"), ("listen", "--listen"), ("service", "--service"),
            ("issuers.main.issuer", "--issuer"), ("issuers.main.audiences", "--audience"),
            ("issuers.main.keys.url", "--jwks-url"), ("issuers.main.keys.discover", "--issuer"),
        ]
        return options.first { path == $0.0 || path.hasPrefix($0.0 + ".") || path.hasPrefix($0.0 + "[") }?.1
    }
}

extension PolicyDraft {
    /// What belongs on the terminal as well as into the file: what is missing from the policy.
    fileprivate var remarksToShow: [(place: ServiceDescription.Place, message: String)] {
        self.remarks.map { ($0.place, $0.message) }
            + self.skipped.map { ($0.operation.place, "\($0.operation.text) has no route: \($0.reason)") }
    }
}
