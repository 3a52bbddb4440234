/// What an unquoted scalar is taken for: the JSON of YAML 1.2, and a clear refusal of what older versions read
/// differently.
enum PlainScalar {
    /// A whole number without sign, leading zeros, underscores and the like.
    static func isDecimal(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } && (text == "0" || text.first != "0")
    }

    /// What YAML 1.1 takes for a boolean, and other spellings of `true` and `false`.
    static func isOldBoolean(_ text: String) -> Bool {
        ["y", "n", "yes", "no", "on", "off", "true", "false"].contains(text.lowercased())
    }

    /// A number as JSON writes it (RFC 8259 section 6).
    static func isJSONNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let whole = rest.prefix { (0x30...0x39).contains($0) }
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return false }
        rest = rest.dropFirst(whole.count)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(fraction.count + 1)
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard !rest.isEmpty, rest.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
            rest = rest[rest.endIndex...]
        }
        return rest.isEmpty
    }

    /// A number in a form that JSON does not have: `010`, `0x1F`, `1_000`, `+1`, `.5`, `.inf`.
    static func isOtherNumber(_ text: String) -> Bool {
        let lower = text.lowercased()
        if [".inf", "+.inf", "-.inf", ".nan"].contains(lower) { return true }
        var body = lower[...]
        if body.hasPrefix("+") || body.hasPrefix("-") { body = body.dropFirst() }
        guard body.utf8.contains(where: { (0x30...0x39).contains($0) }) else { return false }
        if body.hasPrefix("0x") { return body.dropFirst(2).allSatisfy { $0.isHexDigit || $0 == "_" } }
        if body.hasPrefix("0o") || body.hasPrefix("0b") {
            return body.dropFirst(2).allSatisfy { $0.isNumber || $0 == "_" }
        }
        return (body.first == "." || body.first?.isNumber == true)
            && body.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
            && body.utf8.count { $0 == UInt8(ascii: ".") } <= 1 && !Self.isJSONNumber(text)
    }
}

extension SchemaReader {
    /// A scalar as JSON: quoted (or replaced) text is a string, plain text what it looks like.
    static func json(_ scalar: ScalarText) throws(ScalarProblem) -> JSONValue {
        let text = scalar.text
        guard scalar.style == .plain, !scalar.isReplaced else { return .string(text) }
        if text == "true" { return .bool(true) }
        if text == "false" { return .bool(false) }
        if PlainScalar.isJSONNumber(text) {
            guard let number = Double(text), number.isFinite else {
                throw ScalarProblem(detail: "the number is too large")
            }
            return .number(number, text: text)
        }
        if PlainScalar.isOldBoolean(text) {
            throw ScalarProblem(detail: "write true or false, or quote it: \"\(text)\"")
        }
        if PlainScalar.isOtherNumber(text) {
            throw ScalarProblem(detail: "write a decimal number, or quote it: \"\(text)\"")
        }
        return .string(text)
    }

    /// A tree as JSON.
    mutating func readJSON(_ node: ConfigurationNode, path: String) -> JSONValue? {
        if node.isNull { return .null }
        switch node {
        case .scalar(let text, let style, let mark):
            return self.readScalar(text, style: style, mark: mark, as: .scalar, path: path)?.json
        case .sequence(let items, _):
            var values: [JSONValue] = []
            for (index, item) in items.enumerated() {
                guard let value = self.readJSON(item, path: "\(path)[\(index)]") else { return nil }
                values.append(value)
            }
            return .array(values)
        case .mapping(let pairs, _):
            var members: [JSONValue.Member] = []
            for pair in self.keyed(pairs, path: path) {
                guard let value = self.readJSON(pair.value, path: Self.join(path, pair.key)) else { return nil }
                members.append(JSONValue.Member(name: pair.key, value: value))
            }
            return .object(members)
        }
    }
}
