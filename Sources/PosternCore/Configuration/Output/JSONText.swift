/// JSON for people: two spaces a level, one member a line, short lists of scalars in one line.
enum JSONText {
    static func pretty(_ value: JSONValue) -> String {
        var text = ""
        Self.write(value, level: 0, into: &text)
        return text + "\n"
    }

    private static func write(_ value: JSONValue, level: Int, into text: inout String) {
        switch value {
        case .null: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .number(_, let literal): text += literal
        case .string(let string): Self.quote(string, into: &text)
        case .array(let items): Self.write(items, level: level, into: &text)
        case .object(let members):
            guard !members.isEmpty else {
                text += "{}"
                return
            }
            for (index, member) in members.enumerated() {
                text += (index == 0 ? "{\n" : ",\n") + String(repeating: "  ", count: level + 1)
                Self.quote(member.name, into: &text)
                text += ": "
                Self.write(member.value, level: level + 1, into: &text)
            }
            text += "\n" + String(repeating: "  ", count: level) + "}"
        }
    }

    private static func write(_ items: [JSONValue], level: Int, into text: inout String) {
        let isFlat = items.allSatisfy { item in
            switch item {
            case .array, .object: false
            default: true
            }
        }
        let indent = isFlat ? "" : "\n" + String(repeating: "  ", count: level + 1)
        text += "["
        for (index, item) in items.enumerated() {
            if index > 0 { text += isFlat ? ", " : "," }
            text += indent
            Self.write(item, level: level + 1, into: &text)
        }
        text += isFlat ? "]" : "\n" + String(repeating: "  ", count: level) + "]"
    }

    private static func quote(_ string: String, into text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case "\u{0}"..<" ", "\u{7F}":
                let code = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - code.count) + code
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

// MARK: - Building

extension JSONValue {
    /// A whole number.
    public static func whole(_ number: some BinaryInteger) -> JSONValue {
        .number(Double(number), text: "\(number)")
    }

    static func strings(_ texts: [String]) -> JSONValue {
        .array(texts.map { .string($0) })
    }

    /// An object of the members that have a value, in this order.
    public static func members(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }
}
