/// Sizes as proxy.yaml writes them, in bytes: `512B`, `32KiB`, `10MiB`, `1GiB`.
enum ByteSize {
    private static let units: [(name: String, length: Int)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
    ]

    /// The size, or nil where the text is none or is more than `Int` holds.
    static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let unit = Self.units.first(where: { $0.name == text.dropFirst(digits.count) }),
            let number = Int(digits)
        else { return nil }
        let (size, overflow) = number.multipliedReportingOverflow(by: unit.length)
        return overflow ? nil : size
    }

    /// The size in the largest unit that is exact.
    static func text(_ size: Int) -> String {
        guard size != 0 else { return "0B" }
        for unit in Self.units.reversed() where size % unit.length == 0 {
            return "\(size / unit.length)\(unit.name)"
        }
        return "\(size)B"
    }

    /// What to write instead, where a text is nearly a size.
    static func fix(for text: String) -> String {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { return Self.general }
        switch String(text.dropFirst(digits.count)).lowercased() {
        case "": return "the unit is missing: \"\(digits)B\" or \"\(digits)KiB\""
        case "k", "kb", "kib": return "write \"\(digits)KiB\""
        case "m", "mb", "mib": return "write \"\(digits)MiB\""
        case "g", "gb", "gib": return "write \"\(digits)GiB\""
        case "b": return "write \"\(digits)B\""
        default: return Self.general
        }
    }

    private static let general = "a whole number and one of B, KiB, MiB, GiB: \"512B\", \"32KiB\", \"10MiB\""
}
