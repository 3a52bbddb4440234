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
        var text: [UInt8] = []
        text.reserveCapacity(24)
        Self.append(Int(parts.tm_year) + 1900, width: 4, then: "-", to: &text)
        Self.append(Int(parts.tm_mon) + 1, then: "-", to: &text)
        Self.append(Int(parts.tm_mday), then: "T", to: &text)
        Self.append(Int(parts.tm_hour), then: ":", to: &text)
        Self.append(Int(parts.tm_min), then: ":", to: &text)
        Self.append(Int(parts.tm_sec), then: milliseconds == nil ? "Z" : ".", to: &text)
        if let milliseconds { Self.append(milliseconds, width: 3, then: "Z", to: &text) }
        return String(decoding: text, as: UTF8.self)
    }

    /// A number of at least `width` digits, and what follows it.
    private static func append(_ number: Int, width: Int = 2, then next: Unicode.Scalar, to text: inout [UInt8]) {
        var (rest, digits) = (number.magnitude, 0)
        let start = text.count
        while rest > 0 || digits < width {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            (rest, digits) = (rest / 10, digits + 1)
        }
        if number < 0 { text.append(UInt8(ascii: "-")) }
        text[start...].reverse()
        text.append(UInt8(ascii: next))
    }
}
