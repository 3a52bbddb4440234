/// `${NAME}` and `${NAME:-default}` in a text; `$${` is a literal `${`.
enum Reference {
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
        var result = ""
        var problems: [String] = []
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let close = rest.firstIndex(of: "}") else {
                    problems.append("\"${\" is not closed; a literal \"${\" is written \"$${\"")
                    return (result, problems)
                }
                switch Self.value(of: rest.dropFirst(2)[..<close], variable: variable) {
                case .success(let value): result += value
                case .failure(let problem): problems.append(problem.message)
                }
                rest = rest[rest.index(after: close)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return (result + rest, problems)
    }

    /// The value of what stands between the braces. As in a shell, the default also stands for an empty variable.
    private static func value(of reference: Substring, variable: (String) -> String?) -> Result<String, SyntaxProblem> {
        let name = reference.prefix { $0.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") } }
        let rest = reference.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-") else {
            return .failure(
                SyntaxProblem("\"${\(reference)}\" is not a reference: write ${NAME} or ${NAME:-default}"))
        }
        let found = variable(String(name))
        if rest.isEmpty {
            guard let found else {
                return .failure(
                    SyntaxProblem(
                        "the environment variable \(name) is not set; set it or write \"${\(name):-default}\""))
            }
            return .success(found)
        }
        let standard = rest.dropFirst(2)
        guard !standard.contains("${") else {
            return .failure(SyntaxProblem("the default of ${\(name)} cannot hold another reference"))
        }
        if let found, !found.isEmpty { return .success(found) }
        return .success(String(standard))
    }
}
