/// What operators set: the audit log.
extension OptionReader {
    mutating func audit() -> AuditConfiguration {
        var audit = AuditConfiguration()
        if let path = self.options.auditLog ?? self.environment.value("AUDIT_LOG") {
            if path.isEmpty { self.problems.append("--audit-log is - for standard output, or the path of a file") }
            audit.path = path == "-" ? nil : path
        }
        if let text = self.options.auditRetention ?? self.environment.value("AUDIT_RETENTION") {
            audit.retention = self.duration(text, "--audit-retention", least: 3600)
        }
        return audit
    }

    /// Whole seconds, written `90d`, `12h`, `30m` or `45s`; nil for `0`, which means never.
    private mutating func duration(_ text: String, _ option: String, least: Int) -> Int? {
        if text == "0" { return nil }
        let units: [Character: Int] = ["d": 86400, "h": 3600, "m": 60, "s": 1]
        let digits = text.dropLast()
        guard let unit = text.last.flatMap({ units[$0] }), (1...9).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number * unit >= least
        else {
            self.problems.append(
                "\(option) is a number with d, h, m or s, for instance 90d, at least \(least)s, or 0 for never")
            return nil
        }
        return number * unit
    }
}
