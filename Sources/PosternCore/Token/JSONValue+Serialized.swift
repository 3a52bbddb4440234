// MARK: - Writing

extension [UInt8] {
    /// Appends a string as JSON. Most have nothing to escape.
    mutating func append(json text: String) {
        self.append(UInt8(ascii: "\""))
        let start = self.count
        self.append(contentsOf: text.utf8)
        self.escape(from: start)
        self.append(UInt8(ascii: "\""))
    }

    /// Appends the texts, with a space between them, as one JSON string.
    mutating func append(json texts: [String]) {
        self.append(UInt8(ascii: "\""))
        let start = self.count
        var isFirst = true
        for text in texts {
            if !isFirst { self.append(UInt8(ascii: " ")) }
            isFirst = false
            self.append(contentsOf: text.utf8)
        }
        self.escape(from: start)
        self.append(UInt8(ascii: "\""))
    }

    /// Looked at where it stands now: the bytes of an array are faster to go over than those of a string.
    private mutating func escape(from start: Int) {
        guard self.holdsEscapes(from: start) else { return }
        let plain = Array(self[start...])
        self.removeLast(plain.count)
        for byte in plain { self.append(escaped: byte) }
    }

    private func holdsEscapes(from start: Int) -> Bool {
        let bytes = self.span.bytes
        var index = start
        while index &+ 8 <= bytes.byteCount {
            if Self.hasEscape(bytes.word(index)) { return true }
            index &+= 8
        }
        while index < bytes.byteCount {
            let byte = bytes.byte(index)
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return true }
            index &+= 1
        }
        return false
    }

    /// Whether one of eight bytes is a control character, a quote or a backslash.
    private static func hasEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high = ones &* 0x80
        // The high bit of each byte: whether it is below 0x20, or zero where what is sought was taken out.
        let controls = (word &- ones &* 0x20) & ~word
        let quote = word ^ ones &* 0x22
        let backslash = word ^ ones &* 0x5C
        return (controls | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & high != 0
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.append("\\\"")
        case UInt8(ascii: "\\"): self.append("\\\\")
        case UInt8(ascii: "\n"): self.append("\\n")
        case UInt8(ascii: "\r"): self.append("\\r")
        case UInt8(ascii: "\t"): self.append("\\t")
        case 0..<0x20:
            let digits: StaticString = "0123456789abcdef"
            self.append("\\u00")
            digits.withUTF8Buffer { self += [$0[Int(byte >> 4)], $0[Int(byte & 15)]] }
        default: self.append(byte)
        }
    }
}

extension JSONValue {
    /// The value as compact JSON. Only what must be escaped is: quotes, backslashes and control characters.
    public func serialized() -> String {
        String(decoding: self.serializedBytes(), as: UTF8.self)
    }

    /// The same as bytes of UTF-8.
    public func serializedBytes() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512)
        self.write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output.append("null")
        case .bool(let value): output.append(value ? "true" : "false")
        case .number(_, let text): output.append(contentsOf: text.utf8)
        case .string(let text): output.append(json: text)
        case .array(let items):
            output.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                item.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                output.append(json: member.name)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// A whole number.
    public init(_ integer: Int) {
        self = .number(Double(integer), text: String(integer))
    }
}
