/// Text of proxy.yaml, as a person would write it. Everything in it that comes from elsewhere is quoted where YAML wants
/// that, and cannot end a comment.
enum PolicyText {
    private static let width = 110

    /// A rule: `public`, `{scopes: [a, b]}`.
    static func rule(_ access: Access) -> String {
        switch access {
        case .open: return "public"
        case .denied: return "deny"
        case .optional: return "optional"
        case .required(let requirement):
            let conditions: [(String, [String])] = [
                ("scopes", requirement.scopes), ("any_scope", requirement.anyScope),
            ]
            let parts = conditions.filter { !$0.1.isEmpty }.map { "\($0): \(Self.list($1))" }
            return parts.isEmpty ? "authenticated" : "{\(parts.joined(separator: ", "))}"
        }
    }

    /// One item as it is, several in brackets.
    static func list(_ items: [String]) -> String {
        let texts = items.map { Self.scalar($0) }
        return texts.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    }

    /// A string value, in quotes unless it reads as nothing else. References to the environment are none here.
    static func scalar(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let isPlain =
            bytes.first.map { $0.asciiLowercased &- 0x61 < 26 } ?? false
            && bytes.allSatisfy { $0.isASCIIAlphanumeric || "_./:-".utf8.contains($0) } && bytes.last != 0x3A
            && !PlainScalar.isOldBoolean(text) && text.lowercased() != "null"
        return isPlain ? text : Self.quoted(text.replacingReferences)
    }

    /// A route's key.
    static func key(_ text: String) -> String {
        let isPlain =
            text.utf8.first.map { $0.isASCIIAlphanumeric } ?? false
            && !text.utf8.contains { ":#\"'\\`".utf8.contains($0) }
        return isPlain ? text : Self.quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result += Self.visible(scalar, escape: { "\\U" + Self.hexadecimal($0, digits: 8) })
        }
        return result + "\""
    }

    /// Comment lines, broken between words.
    static func comment(_ text: String, indent: String = "") -> String {
        var lines: [String] = []
        var line = ""
        for word in text.unicodeScalars.map({ Self.visible($0, escape: { "\\u{" + Self.hexadecimal($0) + "}" }) })
            .joined().split(separator: " ")
        {
            if !line.isEmpty, indent.utf8.count + line.utf8.count + word.utf8.count > Self.width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return (lines + [line]).map { "\(indent)# \($0)\n" }.joined()
    }

    /// Printable ASCII as it is, everything else escaped: nothing turns the direction of a line or begins a new one.
    private static func visible(_ scalar: Unicode.Scalar, escape: (UInt32) -> String) -> String {
        (0x20...0x7E).contains(scalar.value) ? String(Character(scalar)) : escape(scalar.value)
    }

    private static func hexadecimal(_ value: UInt32, digits: Int = 1) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}

extension String {
    /// `${` as proxy.yaml writes the characters themselves.
    fileprivate var replacingReferences: String {
        var result: [UInt8] = []
        var rest = Array(self.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "$"), rest.first == UInt8(ascii: "{") { result.append(byte) }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
