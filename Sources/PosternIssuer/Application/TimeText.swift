#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Unix seconds as RFC 3339 writes them, in UTC.
enum TimeText {
    /// Whole seconds: `2026-01-31T12:34:56Z`.
    static func seconds(_ time: Int) -> String {
        Self.civil(time) + "Z"
    }

    /// With milliseconds, rounded down: `2026-01-31T12:34:56.789Z`.
    static func milliseconds(_ time: Double) -> String {
        let whole = time.rounded(.down)
        return "\(Self.civil(Int(whole))).\(Self.padded(Int((time - whole) * 1000), 3))Z"
    }

    private static func civil(_ time: Int) -> String {
        var seconds = time_t(time)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date = "\(Self.padded(Int(parts.tm_year) + 1900, 4))-\(Self.padded(Int(parts.tm_mon) + 1, 2))"
        let clock = "\(Self.padded(Int(parts.tm_hour), 2)):\(Self.padded(Int(parts.tm_min), 2))"
        return "\(date)-\(Self.padded(Int(parts.tm_mday), 2))T\(clock):\(Self.padded(Int(parts.tm_sec), 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
