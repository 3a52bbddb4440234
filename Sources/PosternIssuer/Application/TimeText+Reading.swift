extension TimeText {
    /// Unix seconds of an RFC 3339 time, or of a date (its first second in UTC); a fraction is dropped. Nil if it is
    /// neither, or before 1970.
    static func read(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count <= 64, let days = Self.days(bytes) else { return nil }
        if bytes.count == 10 { return days * 86400 }
        guard bytes.count >= 20, bytes[10] | 0x20 == UInt8(ascii: "t"), let clock = Self.clock(bytes[11..<19]),
            let offset = Self.offset(bytes[19...])
        else { return nil }
        let seconds = days * 86400 + clock - offset
        return seconds >= 0 ? seconds : nil
    }

    /// Days from 1970-01-01 to the date that stands first.
    private static func days(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = Self.number(bytes[0..<4]), year >= 1970, let month = Self.number(bytes[5..<7]),
            (1...12).contains(month), let day = Self.number(bytes[8..<10])
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[month - 1]).contains(day) else { return nil }
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400)
        return (year - 1970) * 365 + leapDays + lengths[..<(month - 1)].reduce(0, +) + day - 1
    }

    /// Seconds of `HH:MM:SS`. A leap second is none of a Unix clock's.
    private static func clock(_ bytes: ArraySlice<UInt8>) -> Int? {
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 3, let hours = Self.number(parts[0]), hours < 24, let minutes = Self.number(parts[1]),
            minutes < 60, let seconds = Self.number(parts[2]), seconds < 60, parts.allSatisfy({ $0.count == 2 })
        else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }

    /// Seconds east of UTC, after a fraction if there is one.
    private static func offset(_ bytes: ArraySlice<UInt8>) -> Int? {
        var rest = bytes
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            if fraction.isEmpty { return nil }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard let sign = rest.first else { return nil }
        if sign | 0x20 == UInt8(ascii: "z") { return rest.count == 1 ? 0 : nil }
        let parts = rest.dropFirst().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), parts.count == 2,
            parts.allSatisfy({ $0.count == 2 }), let hours = Self.number(parts[0]), hours < 24,
            let minutes = Self.number(parts[1]), minutes < 60
        else { return nil }
        return (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "+") ? 1 : -1)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
        }
        return digits.isEmpty ? nil : number
    }
}
