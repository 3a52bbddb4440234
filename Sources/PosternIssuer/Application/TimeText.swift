#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Unix seconds as RFC 3339 writes them, in UTC.
enum TimeText {
    /// Whole seconds: `2026-01-31T12:34:56Z`.
    static func seconds(_ time: Int) -> String {
        Self.text(time, milliseconds: nil)
    }

    /// With milliseconds, rounded down: `2026-01-31T12:34:56.789Z`.
    static func milliseconds(_ time: Double) -> String {
        let whole = time.rounded(.down)
        return Self.text(Int(whole), milliseconds: Int((time - whole) * 1000))
    }

    private static func text(_ time: Int, milliseconds: Int?) -> String {
        var seconds = time_t(time)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = Array((milliseconds == nil ? "0000-00-00T00:00:00Z" : "0000-00-00T00:00:00.000Z").utf8)
        // After the year 9999 there is no such form: the year is cut to its last digits.
        Self.write(Int(parts.tm_year) + 1900, in: 0..<4, of: &text)
        Self.write(Int(parts.tm_mon) + 1, in: 5..<7, of: &text)
        Self.write(Int(parts.tm_mday), in: 8..<10, of: &text)
        Self.write(Int(parts.tm_hour), in: 11..<13, of: &text)
        Self.write(Int(parts.tm_min), in: 14..<16, of: &text)
        Self.write(Int(parts.tm_sec), in: 17..<19, of: &text)
        if let milliseconds { Self.write(milliseconds, in: 20..<23, of: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Writes the last digits of a number.
    private static func write(_ number: Int, in range: Range<Int>, of text: inout [UInt8]) {
        var rest = number.magnitude
        for index in range.reversed() {
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
