/// Durations as proxy.yaml writes them, in nanoseconds: `500ms`, `30s`, `5m`, `1h`.
enum Nanoseconds {
    static let millisecond: Int64 = 1_000_000
    static let second: Int64 = 1_000 * Self.millisecond
    static let minute: Int64 = 60 * Self.second
    static let hour: Int64 = 60 * Self.minute
    static let day: Int64 = 24 * Self.hour

    private static let units: [(name: String, length: Int64)] = [
        ("ms", Self.millisecond), ("s", Self.second), ("m", Self.minute), ("h", Self.hour),
    ]

    /// The duration, or nil where the text is none or is longer than 64 bits hold.
    static func parse(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = Self.units.first(where: { $0.name == text.dropFirst(digits.count) }),
            let number = Int64(digits)
        else { return nil }
        let (length, overflow) = number.multipliedReportingOverflow(by: unit.length)
        return overflow ? nil : length
    }

    /// The duration in the largest unit that is exact.
    static func text(_ duration: Int64) -> String {
        guard duration != 0 else { return "0s" }
        for unit in Self.units.reversed() where duration % unit.length == 0 {
            return "\(duration / unit.length)\(unit.name)"
        }
        return "\(duration)ns"
    }

    /// What to write instead, where a text is nearly a duration.
    static func fix(for text: String) -> String {
        if !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) {
            return "the unit is missing: \"\(text)s\" or \"\(text)ms\""
        }
        if text.contains(".") { return "only whole numbers: \"1500ms\" for one and a half seconds" }
        return "a whole number and one of ms, s, m, h: \"500ms\", \"30s\", \"5m\", \"1h\""
    }
}
