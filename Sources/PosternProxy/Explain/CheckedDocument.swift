import PosternCore

/// A service's OpenAPI document that `check` holds a policy against.
public struct CheckedDocument: Sendable {
    private let name: String
    private let loaded: Result<ServiceDescription, ConfigurationProblems>

    /// Reads the document; nil where there is no path.
    ///
    /// - Parameter basePath: what stands before every path, in place of what the document's servers say.
    public init?(path: String?, basePath: String? = nil) throws(ImportRequest.Problem) {
        let basePath = try basePath.map { text throws(ImportRequest.Problem) in try BasePath.checked(text) }
        guard let path else { return nil }
        self.name = DescriptionFile.name(of: path)
        self.loaded = DescriptionFile.load(path: path, basePath: basePath)
    }

    /// What is wrong with the document itself.
    var problems: [CheckFinding] {
        guard case .failure(let problems) = self.loaded else { return [] }
        return problems.problems.map { problem in
            var finding = CheckFinding(problem)
            finding.file = self.name
            return finding
        }
    }

    /// In what the configuration differs from the document.
    func findings(_ configuration: Configuration) -> [CheckFinding] {
        guard case .success(let description) = self.loaded else { return self.problems }
        // Two routes that are the same are an error of the configuration, and said there.
        let differences = (try? PolicyComparison.findings(configuration, description)) ?? []
        let remarks = description.remarks.map { remark in
            CheckFinding(
                kind: .note, mark: remark.place.mark, path: remark.place.path, message: remark.message, file: self.name)
        }
        return remarks + differences.map { self.finding($0, configuration) }
    }

    private func finding(_ difference: PolicyComparison.Finding, _ configuration: Configuration) -> CheckFinding {
        let kind: CheckFinding.Kind =
            switch difference.kind {
            case .missing: .missing
            case .weaker: .weaker
            case .surplus: .surplus
            case .note: .note
            }
        guard let index = difference.route else {
            return CheckFinding(
                kind: kind, mark: difference.place?.mark ?? Mark(line: 1, column: 1),
                path: difference.place?.path ?? "paths", message: difference.message, file: self.name)
        }
        let route = configuration.routes[index]
        return CheckFinding(
            kind: kind, mark: route.mark, path: "routes.\(route.pattern.text)", message: difference.message,
            origin: difference.place.map { .init(file: self.name, mark: $0.mark, path: $0.path) })
    }
}
