// MARK: - Writing

extension [UInt8] {
    /// Appends a string as JSON. Most have nothing to escape.
    mutating func append(json text: String) {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        guard isPlain else { return self.append(contentsOf: JSONValue.string(text).serialized().utf8) }
        self.append(UInt8(ascii: "\""))
        self.append(contentsOf: text.utf8)
        self.append(UInt8(ascii: "\""))
    }
}

extension JSONValue {
    /// The value as compact JSON. Only what must be escaped is: quotes, backslashes and control characters.
    public func serialized() -> String {
        var output = ""
        self.write(to: &output)
        return output
    }

    private func write(to output: inout String) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .number(_, let text): output += text
        case .string(let text): Self.write(text, to: &output)
        case .array(let items):
            output += "["
            for (index, item) in items.enumerated() {
                if index > 0 { output += "," }
                item.write(to: &output)
            }
            output += "]"
        case .object(let members):
            output += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { output += "," }
                Self.write(member.name, to: &output)
                output += ":"
                member.value.write(to: &output)
            }
            output += "}"
        }
    }

    private static func write(_ text: String, to output: inout String) {
        output += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case "\u{0}"..<"\u{20}":
                let digits = Array("0123456789abcdef")
                output += "\\u00"
                output.append(digits[Int(scalar.value >> 4)])
                output.append(digits[Int(scalar.value & 15)])
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }

    /// A whole number.
    public init(_ integer: Int) {
        self = .number(Double(integer), text: String(integer))
    }
}
