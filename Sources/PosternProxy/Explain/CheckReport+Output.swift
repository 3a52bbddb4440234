import PosternCore

extension CheckReport {
    /// One line a finding, in the form that editors and CI systems know, and a last line that sums up.
    var text: String {
        let lines = self.findings.map { $0.line(file: self.path) }
        return (lines + [TerminalText.safe(self.summary)]).map { $0 + "\n" }.joined()
    }

    private var summary: String {
        let warnings = TerminalText.count(self.warnings, "warning")
        guard self.errors == 0, let configuration else {
            let errors = TerminalText.count(self.errors, "error")
            return self.warnings == 0 ? "\(self.path): \(errors)" : "\(self.path): \(errors), \(warnings)"
        }
        let verdict = self.warnings == 0 ? "fine" : "usable, \(warnings)"
        return "\(self.path): \(verdict). \(Self.census(configuration))"
    }

    /// How many routes let whom through: `8 routes: 1 public, 7 need a token. Not declared: denied to everybody.`
    private static func census(_ configuration: Configuration) -> String {
        func count(_ holds: (Access) -> Bool) -> Int { configuration.routes.count { holds($0.access) } }
        let parts: [(Int, String)] = [
            (count { $0 == .open }, "public"),
            (count { $0 == .optional }, "with an optional token"),
            (count { $0.requirement != nil }, "for callers with a token"),
            (count { $0 == .denied }, "closed"),
        ]
        let routes = TerminalText.count(configuration.routes.count, "route")
        let shown = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        let rest = AccessText.needs(configuration.defaultAccess.access)
        let fallback = configuration.defaultAccess == .deny ? rest : "needs \(rest)"
        return (shown.isEmpty ? routes : "\(routes): \(shown)") + ". What no route declares: \(fallback)."
    }

    var json: JSONValue {
        let findings = self.findings.map { finding in
            var members: [JSONValue.Member] = [
                .init(name: "severity", value: .string(finding.isWarning ? "warning" : finding.kind.rawValue)),
                .init(name: "kind", value: .string(finding.kind.rawValue)),
                .init(name: "line", value: JSONValue(finding.mark.line)),
                .init(name: "column", value: JSONValue(finding.mark.column)),
                .init(name: "path", value: .string(finding.path)),
                .init(name: "message", value: .string(finding.message)),
            ]
            if let suggestion = finding.suggestion {
                members.append(.init(name: "suggestion", value: .string(suggestion)))
            }
            if let file = finding.file { members.append(.init(name: "file", value: .string(file))) }
            if let origin = finding.origin { members.append(.init(name: "document", value: origin.json)) }
            return JSONValue.object(members)
        }
        return .object([
            .init(name: "file", value: .string(self.path)),
            .init(name: "errors", value: JSONValue(self.errors)),
            .init(name: "warnings", value: JSONValue(self.warnings)),
            .init(name: "findings", value: .array(findings)),
        ])
    }
}

extension CheckFinding.Place {
    fileprivate var json: JSONValue {
        .object([
            .init(name: "file", value: .string(self.file)),
            .init(name: "line", value: JSONValue(self.mark.line)),
            .init(name: "column", value: JSONValue(self.mark.column)),
            .init(name: "path", value: .string(self.path)),
        ])
    }
}
