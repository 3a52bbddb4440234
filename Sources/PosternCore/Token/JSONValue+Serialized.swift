// MARK: - Writing

extension [UInt8] {
    /// Appends a string as JSON. Most have nothing to escape.
    mutating func append(json text: String) {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        self.append(UInt8(ascii: "\""))
        if isPlain {
            self.append(contentsOf: text.utf8)
        } else {
            for byte in text.utf8 { self.append(escaped: byte) }
        }
        self.append(UInt8(ascii: "\""))
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
