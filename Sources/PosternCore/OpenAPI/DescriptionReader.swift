/// Reads the parts of an OpenAPI document that a policy is made of. Everything is looked at even after a problem, so
/// that all of them come out at once.
struct DescriptionReader {
    /// The forms of the document.
    enum Version: Equatable {
        case two
        /// 3.0 and 3.1.
        case three
        /// 3.2 has more methods.
        case threeTwo
    }

    /// One key of a mapping that was looked up.
    struct Member {
        var key: String
        var mark: Mark
        var value: ConfigurationNode
    }

    let root: ConfigurationNode
    let givenBase: String?
    var version = Version.three
    var problems: [ConfigurationProblem] = []
    var remarks: [ServiceDescription.Remark] = []
    var schemes: [String: SecurityScheme] = [:]
    var operations: [ServiceDescription.Operation] = []

    init(_ root: ConfigurationNode, basePath: String?) {
        self.root = root
        self.givenBase = basePath
    }

    mutating func report(_ message: String, at mark: Mark, path: String, suggestion: String? = nil) {
        self.problems.append(ConfigurationProblem(mark: mark, path: path, message: message, suggestion: suggestion))
    }

    mutating func read() -> Result<ServiceDescription, ConfigurationProblems> {
        guard let format = self.readVersion() else { return .failure(ConfigurationProblems(self.problems)) }
        self.readSchemes()
        let base = self.documentBase()
        let security = self.need(self.root["security"], path: "security")
        if let paths = self.root["paths"], !paths.isNull {
            self.readPaths(paths, base: base, security: security)
        }
        if self.operations.isEmpty, self.problems.isEmpty {
            self.report("the document has no paths with operations", at: self.root.mark, path: "paths")
        }
        guard self.problems.isEmpty else { return .failure(ConfigurationProblems(self.problems)) }
        return .success(
            ServiceDescription(
                title: self.root["info"]?["title"]?.text ?? "", format: format, operations: self.operations,
                remarks: self.remarks))
    }

    private mutating func readVersion() -> String? {
        guard case .mapping = self.root else {
            self.report(
                self.root.isNull ? "the file is empty" : "the file is no OpenAPI document: it must be a mapping",
                at: self.root.mark, path: "")
            return nil
        }
        if let swagger = self.root["swagger"] {
            guard swagger.text == "2.0" else {
                self.report("only version 2.0 can be read, beside OpenAPI 3", at: swagger.mark, path: "swagger")
                return nil
            }
            self.version = .two
            return "Swagger 2.0"
        }
        guard let openapi = self.root["openapi"] else {
            self.report("the file is no OpenAPI document: the key openapi is missing", at: self.root.mark, path: "")
            return nil
        }
        let text = openapi.text ?? ""
        switch text.split(separator: ".").prefix(2).joined(separator: ".") {
        case "3.0", "3.1": self.version = .three
        case "3.2": self.version = .threeTwo
        default:
            self.report("must be 3.0, 3.1 or 3.2", at: openapi.mark, path: "openapi")
            return nil
        }
        return "OpenAPI \(text.utf8.allSatisfy { $0 == 0x2E || $0 &- 0x30 < 10 } ? text : "3")"
    }
}

extension ConfigurationNode {
    /// The value of a key; nil for what is no mapping or has no such key.
    subscript(key: String) -> ConfigurationNode? {
        guard case .mapping(let pairs, _) = self else { return nil }
        return pairs.first { if case .scalar(key, _, _) = $0.key { true } else { false } }?.value
    }

    /// The text of a scalar that is not null.
    var text: String? {
        guard !self.isNull, case .scalar(let text, _, _) = self else { return nil }
        return text
    }
}
