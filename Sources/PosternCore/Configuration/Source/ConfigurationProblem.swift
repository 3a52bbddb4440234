/// Something that is wrong, or odd, in a configuration file.
public struct ConfigurationProblem: Error, Equatable, Sendable {
    public enum Severity: String, Sendable {
        /// The file is refused.
        case error
        /// The file is used; somebody should look at this.
        case warning
    }

    public var severity: Severity
    public var mark: Mark
    /// The key path: `routes.GET /x.scopes[1]`. Empty for the document as a whole.
    public var path: String
    /// What is wrong and how to put it right.
    public var message: String
    /// The name that was probably meant.
    public var suggestion: String?

    public init(
        _ severity: Severity = .error, mark: Mark, path: String, message: String, suggestion: String? = nil
    ) {
        self.severity = severity
        self.mark = mark
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }

    /// One line for people: `proxy.yaml:3:1: error: upstraem: unknown key, did you mean "upstream"?`
    public func line(file: String) -> String {
        let place = "\(file):\(self.mark.line):\(self.mark.column): \(self.severity.rawValue): "
        let subject = self.path.isEmpty ? "" : "\(self.path): "
        let hint = self.suggestion.map { ", did you mean \"\($0)\"?" } ?? ""
        // A message may repeat what the file holds: a line break in it must not begin a second line.
        let text = (place + subject + self.message + hint).unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar
        }
        return String(String.UnicodeScalarView(text))
    }
}

/// All problems of a refused file, warnings too, in the order of their places.
public struct ConfigurationProblems: Error, Equatable, Sendable {
    public var problems: [ConfigurationProblem]

    public init(_ problems: [ConfigurationProblem]) {
        self.problems = problems.enumerated()
            .sorted { ($0.element.mark, $0.offset) < ($1.element.mark, $1.offset) }
            .map(\.element)
    }

    /// The problems for which the file is refused.
    public var errors: [ConfigurationProblem] {
        self.problems.filter { $0.severity == .error }
    }
}
