/// What operators set: where they ask, how long keys sign, and the audit log.
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

    /// Nil: nowhere.
    mutating func adminListen(dev: Bool) -> ListenAddress? {
        guard let text = self.options.adminListen ?? self.environment.value("ADMIN_LISTEN") else { return nil }
        guard let address = ListenAddress(text) else {
            self.problems.append("--admin-listen is HOST:PORT, for instance 127.0.0.1:9000 or [::1]:9000")
            return nil
        }
        if dev, !address.isLoopback {
            self.problems.append("--dev listens on loopback only, also for --admin-listen")
        }
        return address
    }

    /// After how many seconds a key is followed by another: not before the last change is through.
    mutating func keyAge() -> Int? {
        guard let text = self.options.keyAge ?? self.environment.value("KEY_AGE") else { return 90 * 86400 }
        return self.duration(text, "--key-age", least: 3600)
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
