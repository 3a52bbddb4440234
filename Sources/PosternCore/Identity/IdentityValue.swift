/// Header values out of claims, encoded so that the service reads back exactly what the token said: printable ASCII, one
/// line, and splitting a list at its separator is never ambiguous.
enum IdentityValue {
    /// A single value. Percent-encoded are `%`, bytes over 0x7E, and spaces at either end, which a parser would trim.
    static func single(_ text: String) throws(IdentityProblem) -> [UInt8] {
        var value: [UInt8] = []
        try Self.append(text, separator: nil, to: &value)
        return value
    }

    /// The items joined by the separator, which is percent-encoded inside them. Empty items are left out.
    static func list(_ items: [String], separator: UInt8) throws(IdentityProblem) -> [UInt8] {
        var value: [UInt8] = []
        for item in items where !item.isEmpty {
            if !value.isEmpty { value.append(separator) }
            try Self.append(item, separator: separator, to: &value)
        }
        return value
    }

    /// A claim: strings and numbers as their text, booleans as `true` and `false`, arrays of these as a list with commas,
    /// in which null is left out. An object, and an array with an object or an array in it, has no text that a service
    /// could split again: it counts as absent.
    static func claim(_ value: JSONValue) throws(IdentityProblem) -> [UInt8] {
        guard case .array(let items) = value else {
            guard let text = Self.text(of: value) else { return [] }
            return try Self.single(text)
        }
        var texts: [String] = []
        for item in items where item != .null {
            guard let text = Self.text(of: item) else { return [] }
            texts.append(text)
        }
        return try Self.list(texts, separator: UInt8(ascii: ","))
    }

    private static func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text), .number(_, let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    private static func append(
        _ text: String, separator: UInt8?, to value: inout [UInt8]
    ) throws(IdentityProblem) {
        let space = UInt8(ascii: " ")
        var isPlain = text.utf8.first != space && text.utf8.last != space
        var isASCII = true
        for byte in text.utf8 {
            if byte < 0x20 || byte == 0x7F { throw .controlCharacter }
            if byte > 0x7E { isASCII = false }
            if byte == UInt8(ascii: "%") || byte == separator { isPlain = false }
        }
        if isASCII, isPlain { return value.append(contentsOf: text.utf8) }
        // The control characters that are not ASCII: U+0080 to U+009F.
        for scalar in text.unicodeScalars where scalar.properties.generalCategory == .control {
            throw .controlCharacter
        }
        Self.appendEscaped(text, separator: separator, to: &value)
    }

    private static func appendEscaped(_ text: String, separator: UInt8?, to value: inout [UInt8]) {
        let bytes = Array(text.utf8)
        let space = UInt8(ascii: " ")
        let first = bytes.firstIndex { $0 != space } ?? bytes.count
        let last = bytes.lastIndex { $0 != space } ?? -1
        for (i, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "%") || byte > 0x7E || byte == separator || i < first || i > last {
                value.appendEscape(of: byte)
            } else {
                value.append(byte)
            }
        }
    }
}
