import PosternCore

/// Text for a terminal and for the eyes of a person.
enum TerminalText {
    /// The text with everything escaped that would steer a terminal or turn the direction of what follows. Paths,
    /// headers and claims come from strangers: shown raw, they could rewrite the lines around them.
    static func safe(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { Self.isUnsafe($0) }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if Self.isUnsafe(scalar) {
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F: true
        case 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// `text` with spaces after it, at least `width` characters.
    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Columns under their headings, two spaces apart; a column without a value is left out.
    static func table(_ headings: [String], _ rows: [[String]]) -> String {
        let rows = rows.map { $0.map { Self.safe($0) } }
        let used = headings.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        let widths = used.map { column in rows.map { $0[column].count }.reduce(headings[column].count, max) }
        func line(_ cells: [String]) -> String {
            var line = ""
            for (column, width) in zip(used, widths) { line += Self.padded(cells[column], to: width) + "  " }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }
        return ([headings] + rows).map(line).joined()
    }

    /// `1 route`, `2 routes`.
    static func count(_ count: Int, _ noun: String) -> String {
        count == 1 ? "1 \(noun)" : "\(count) \(noun)s"
    }
}

/// Times of tokens for people.
enum TimeText {
    /// Unix seconds as RFC 3339 in UTC, to the second, and how far that is from `now`.
    static func moment(_ time: Double, now: Double) -> String {
        guard time >= 0, time <= ClaimRules.latestDate else { return "\(time)" }
        var bytes: [UInt8] = []
        JSONLine.appendTime(time, to: &bytes)
        let text = String(decoding: bytes.prefix(19), as: UTF8.self) + "Z"
        let distance = time - now
        return distance < 0 ? "\(text), \(Self.duration(-distance)) ago" : "\(text), in \(Self.duration(distance))"
    }

    /// The two largest units: `45s`, `12m 3s`, `2h 5m`, `3d 4h`.
    static func duration(_ seconds: Double) -> String {
        guard seconds >= 0, seconds < 1e12 else { return "a long time" }
        let whole = Int(seconds)
        let parts = [(whole / 86400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")]
        let shown = parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }
        return shown.isEmpty ? "0s" : shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }
}

extension TimeText {
    /// Nanoseconds in whole seconds where they are whole, in milliseconds otherwise.
    static func milliseconds(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
