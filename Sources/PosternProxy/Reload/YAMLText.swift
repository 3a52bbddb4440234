import PosternCore

/// The text of a YAML file: its characters are checked before the parser sees them, and it knows what usually causes an error.
struct YAMLText {
    private let scalars: [Unicode.Scalar]

    /// The text for the parser, in UTF-8 and without a byte order mark.
    let bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) throws(ConfigurationProblem) {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        self.bytes = bytes
        self.scalars = try Self.decode(bytes)
    }

    private func index(of mark: Mark) -> Int? {
        var place = Mark(line: 1, column: 1)
        for (index, scalar) in self.scalars.enumerated() {
            if place == mark { return index }
            let isFirstOfTwo = scalar == "\r" && index + 1 < self.scalars.count && self.scalars[index + 1] == "\n"
            place.pass(isBreak: Self.isBreak(scalar) && !isFirstOfTwo)
        }
        return nil
    }

    // MARK: - Syntax errors

    /// An error of the parser, with the fix where the cause is a usual one.
    func syntaxProblem(_ problem: String, context: String?, at mark: Mark) -> ConfigurationProblem {
        var place = mark
        let near = self.index(of: mark)
        let character = near.map { self.scalars[$0] }
        let previous = near.flatMap { $0 > 0 ? self.scalars[$0 - 1] : nil }
        let hint: String? =
            if character == "{", previous == "$" {
                "inside {…} and […] a string with ${…} wants quotes: \"${NAME}\""
            } else if character == "{", context?.contains("flow") == true {
                "inside {…} and […] a string with { or } wants quotes"
            } else if character == "\t" {
                "a tab cannot indent: use spaces"
            } else if problem.contains("mapping values are not allowed") {
                "a string with \": \" wants quotes; or a line is not indented as its neighbours are"
            } else if context?.contains("quoted scalar") == true, problem.contains("end of stream") {
                "the quote that begins here is never closed"
            } else if problem.contains("nesting level") {
                "nested too deeply"
            } else if problem.contains("cannot start any token") {
                "a string that begins with this character wants quotes"
            } else {
                nil
            }
        if character == "{", previous == "$" { place.column = max(1, place.column - 1) }
        let reason = [context, problem].compactMap(\.self).joined(separator: ", ")
        let message = "not valid YAML: " + (hint ?? reason)
        return ConfigurationProblem(mark: place, path: "", message: message)
    }
}

// MARK: - Characters

extension YAMLText {
    /// A line break of YAML 1.1, which is what the parser counts lines by.
    fileprivate static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
        default: false
        }
    }

    /// The characters of the file, if they are UTF-8 and may stand in YAML.
    fileprivate static func decode(_ bytes: ArraySlice<UInt8>) throws(ConfigurationProblem) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(bytes.count)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            let scalar: Unicode.Scalar
            switch decoder.decode(&iterator) {
            case .scalarValue(let value): scalar = value
            case .emptyInput: return scalars
            case .error:
                throw ConfigurationProblem(
                    mark: Self.mark(of: scalars.count, in: scalars), path: "", message: "the file must be UTF-8")
            }
            guard Self.isAllowed(scalar) else {
                let code = String(scalar.value, radix: 16, uppercase: true)
                throw ConfigurationProblem(
                    mark: Self.mark(of: scalars.count, in: scalars), path: "",
                    message: "the character U+\(String(repeating: "0", count: max(0, 4 - code.count)) + code) "
                        + "cannot stand in a YAML file")
            }
            scalars.append(scalar)
        }
    }

    /// The place of the character at `index`.
    fileprivate static func mark(of index: Int, in scalars: [Unicode.Scalar]) -> Mark {
        var place = Mark(line: 1, column: 1)
        for (current, scalar) in scalars.prefix(index).enumerated() {
            let isFirstOfTwo = scalar == "\r" && current + 1 < scalars.count && scalars[current + 1] == "\n"
            place.pass(isBreak: Self.isBreak(scalar) && !isFirstOfTwo)
        }
        return place
    }

    /// YAML's printable characters.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
            0x1_0000...0x10_FFFF:
            true
        default:
            false
        }
    }
}

extension Mark {
    /// Moves over one character.
    fileprivate mutating func pass(isBreak: Bool) {
        if isBreak {
            self.line += 1
            self.column = 1
        } else {
            self.column += 1
        }
    }
}
