/// The part of `Cache-Control` (RFC 9111 section 5.2.2) that matters to the refresh of keys.
public enum CacheControl {
    /// `max-age` in nanoseconds, or nil if the field has none that can be read. `no-store` and `no-cache` count as zero:
    /// the answer is stale at once. A number beyond 64 bits counts as the largest (RFC 9111 section 1.2.2).
    public static func maximumAge(_ field: String) -> Int64? {
        var age: Int64?
        for part in field.split(separator: ",") {
            let directive = part.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
            switch directive.first {
            case "no-store", "no-cache": return 0
            case "max-age":
                guard directive.count == 2, let seconds = Self.seconds(directive[1]) else { continue }
                // Of two, the shorter: the stricter reading of a contradiction.
                age = min(age ?? Int64.max, seconds)
            default: continue
            }
        }
        return age
    }

    private static func trimmed(_ text: Substring) -> String {
        let bytes = text.utf8.map(\.asciiLowercased)
        let inner = bytes.drop { $0 == 0x20 || $0 == 0x09 }.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()
        return String(decoding: inner, as: UTF8.self)
    }

    private static func seconds(_ text: String) -> Int64? {
        var digits = Array(text.utf8)
        if digits.count >= 2, digits.first == UInt8(ascii: "\""), digits.last == UInt8(ascii: "\"") {
            digits = Array(digits.dropFirst().dropLast())
        }
        guard !digits.isEmpty else { return nil }
        var seconds: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            // Far beyond every clamp, and far from overflow.
            seconds = min(seconds * 10 + Int64(digit - 0x30), 1_000_000_000)
        }
        return seconds * .second
    }
}
