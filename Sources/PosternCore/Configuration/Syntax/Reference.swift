/// `${NAME}` and `${NAME:-default}` in a text; `$${` is a literal `${`.
///
/// Works on bytes: as characters, a brace followed by a combining mark would not be one.
enum Reference {
    private static let opening: [UInt8] = [UInt8(ascii: "$"), UInt8(ascii: "{")]
    private static let literal: [UInt8] = [UInt8(ascii: "$")] + Self.opening

    /// Whether a text has anything to replace.
    static func isPresent(in text: String) -> Bool {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: "{"), previous == UInt8(ascii: "$") { return true }
            previous = byte
        }
        return false
    }

    /// The text with every reference replaced, and what went wrong.
    static func replace(in text: String, variable: (String) -> String?) -> (text: String, problems: [String]) {
        var result: [UInt8] = []
        var problems: [String] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if rest.starts(with: Self.literal) {
                result += Self.opening
                rest = rest.dropFirst(Self.literal.count)
            } else if rest.starts(with: Self.opening) {
                guard let close = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    problems.append("\"${\" is not closed; a literal \"${\" is written \"$${\"")
                    break
                }
                let reference = String(decoding: rest.dropFirst(2).prefix { $0 != UInt8(ascii: "}") }, as: UTF8.self)
                switch Self.value(of: reference, variable: variable) {
                case .success(let value): result += value.utf8
                case .failure(let problem): problems.append(problem.message)
                }
                rest = rest[(close + 1)...]
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return (String(decoding: result, as: UTF8.self), problems)
    }

    /// The value of what stands between the braces. As in a shell, the default also stands for an empty variable.
    private static func value(of reference: String, variable: (String) -> String?) -> Result<String, SyntaxProblem> {
        let nameBytes = reference.utf8.prefix { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }
        let name = String(Substring(nameBytes))
        let rest = reference.utf8.dropFirst(nameBytes.count)
        guard let first = nameBytes.first, !(0x30...0x39).contains(first), rest.isEmpty || rest.starts(with: ":-".utf8)
        else {
            return .failure(SyntaxProblem("\"${\(reference)}\" is not a reference: write ${NAME} or ${NAME:-default}"))
        }
        let found = variable(name)
        if rest.isEmpty {
            guard let found else {
                return .failure(
                    SyntaxProblem(
                        "the environment variable \(name) is not set; set it or write \"${\(name):-default}\""))
            }
            return .success(found)
        }
        let standard = String(Substring(rest.dropFirst(2)))
        guard !Self.isPresent(in: standard) else {
            return .failure(SyntaxProblem("the default of ${\(name)} cannot hold another reference"))
        }
        if let found, !found.isEmpty { return .success(found) }
        return .success(standard)
    }
}
