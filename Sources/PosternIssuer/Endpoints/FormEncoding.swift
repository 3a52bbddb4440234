/// The percent-encoding of forms (WHATWG URL, RFC 6749 appendix B): `+` is a space.
enum FormEncoding {
    /// The text that the bytes encode; nil for an incomplete escape or text that is not UTF-8.
    ///
    /// - Parameter plusIsSpace: False in a path, where `+` is a plus.
    static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool = true) -> String? {
        let isPlain = bytes.allSatisfy {
            $0 < 0x80 && $0 != UInt8(ascii: "%") && ($0 != UInt8(ascii: "+") || !plusIsSpace)
        }
        // ASCII is always text; to ask whether it is takes longer than to make it.
        if isPlain { return String(decoding: bytes, as: UTF8.self) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(0x20)
            case UInt8(ascii: "%"):
                guard bytes.endIndex - index > 2, let high = HexDigit.value(bytes[index + 1]),
                    let low = HexDigit.value(bytes[index + 2])
                else { return nil }
                decoded.append(high << 4 | low)
                index += 2
            case let byte:
                decoded.append(byte)
            }
            index += 1
        }
        return String(validating: decoded, as: UTF8.self)
    }
}

/// Hexadecimal digits of either case.
enum HexDigit {
    static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x30...0x39: character - 0x30
        case 0x41...0x46: character - 0x41 + 10
        case 0x61...0x66: character - 0x61 + 10
        default: nil
        }
    }
}
