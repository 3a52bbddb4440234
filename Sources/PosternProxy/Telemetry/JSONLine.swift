/// Builds one line of JSON as bytes, appending to a buffer that is reused.
struct JSONLine {
    /// Appends the bytes as the inside of a JSON string (RFC 8259 section 7). Whatever they are, the string is valid: a
    /// byte that is not printable ASCII is written as the escape of the character with its number.
    static func appendEscaped(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x20...0x7E:
                output.append(byte)
            default:
                output.append(contentsOf: Array("\\u00".utf8))
                output.append(Self.hex(byte >> 4))
                output.append(Self.hex(byte & 0xF))
            }
        }
    }

    /// The same for an array; most have nothing to escape.
    static func appendEscaped(_ bytes: [UInt8], to output: inout [UInt8]) {
        for byte in bytes where byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte &- 0x20 > 0x5E {
            return Self.appendEscaped(bytes[...], to: &output)
        }
        output.append(contentsOf: bytes)
    }

    /// A text as the inside of a JSON string.
    static func escaped(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        Self.appendEscaped(text, to: &output)
        return output
    }

    /// Appends a text as the inside of a JSON string; what is not ASCII stays as it is.
    static func appendEscaped(_ text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            if byte > 0x7F { output.append(byte) } else { Self.appendEscaped(CollectionOfOne(byte), to: &output) }
        }
    }

    /// Appends a number of milliseconds with three decimals, from nanoseconds.
    static func appendMilliseconds(_ nanoseconds: Int64, to output: inout [UInt8]) {
        let micro = max(0, nanoseconds) / 1000
        Self.appendNumber(micro / 1000, to: &output)
        output.append(UInt8(ascii: "."))
        let rest = micro % 1000
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 100))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 10 % 10))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
    }

    /// Appends a decimal number.
    static func appendNumber(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        Self.appendDigits(value.magnitude, to: &output)
    }

    private static func appendDigits(_ value: UInt64, to output: inout [UInt8]) {
        if value >= 10 { Self.appendDigits(value / 10, to: &output) }
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    /// Appends Unix seconds as RFC 3339 in UTC with milliseconds: `2026-01-31T12:34:56.789Z`.
    static func appendTime(_ time: Double, to output: inout [UInt8]) {
        let milliseconds = Int64(time * 1000)
        let seconds = milliseconds / 1000
        let (year, month, day) = Self.civil(days: seconds / 86400)
        let rest = seconds % 86400
        Self.appendNumber(year, to: &output)
        Self.appendTwo(UInt8(ascii: "-"), month, to: &output)
        Self.appendTwo(UInt8(ascii: "-"), day, to: &output)
        Self.appendTwo(UInt8(ascii: "T"), rest / 3600, to: &output)
        Self.appendTwo(UInt8(ascii: ":"), rest / 60 % 60, to: &output)
        Self.appendTwo(UInt8(ascii: ":"), rest % 60, to: &output)
        output.append(UInt8(ascii: "."))
        let fraction = milliseconds % 1000
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 100))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / 10 % 10))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction % 10))
        output.append(UInt8(ascii: "Z"))
    }

    private static func appendTwo(_ separator: UInt8, _ value: Int64, to output: inout [UInt8]) {
        output.append(separator)
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    /// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar. Years are counted from March,
    /// so that the leap day is the last of a year.
    private static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func hex(_ value: UInt8) -> UInt8 {
        value < 10 ? value + UInt8(ascii: "0") : value - 10 + UInt8(ascii: "a")
    }
}
