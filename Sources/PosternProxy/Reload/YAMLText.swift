import PosternCore

/// The text of a YAML file, prepared for a parser that must neither resolve aliases nor meet a key twice.
///
/// The `*` of what may be an alias is replaced by a private-use character: a plain scalar that begins with it is an
/// alias, and anywhere else it is an asterisk again. A key that is repeated gets a number between two others. Nothing
/// else changes, and `original` takes places back to the file.
struct YAMLText {
    /// Stands for an asterisk.
    private static let asterisk: Unicode.Scalar = "\u{E001}"
    /// Surrounds the number before a repeated key.
    private static let fence: Unicode.Scalar = "\u{E000}"

    /// What was put before a key: where the key is, in columns of the file, and how many characters.
    private struct Insertion {
        var line: Int
        var column: Int
        var length: Int
    }

    private var scalars: [Unicode.Scalar]
    private var insertions: [Insertion] = []

    /// The text for the parser.
    var prepared: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self.scalars)
        return String(view)
    }

    init(_ bytes: [UInt8]) throws(ConfigurationProblem) {
        var bytes = bytes[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        self.scalars = try Self.decode(bytes)
        try self.refuseEscapedMarkers()
        self.maskAliases()
    }

    /// The two characters of this type cannot come in by an escape either.
    private func refuseEscapedMarkers() throws(ConfigurationProblem) {
        var index = 0
        while let escape = self.scalars[index...].firstIndex(of: "\\"), escape + 1 < self.scalars.count {
            index = escape + 2
            let kind = self.scalars[escape + 1]
            guard kind == "u" || kind == "U" else { continue }
            let digits = self.scalars[index...].prefix(kind == "u" ? 4 : 8)
            guard let code = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
                code == Self.fence.value || code == Self.asterisk.value
            else { continue }
            throw ConfigurationProblem(
                mark: Self.mark(of: escape, in: self.scalars), path: "",
                message: "the characters U+E000 and U+E001 cannot stand in this file")
        }
    }

    // MARK: - Aliases

    private mutating func maskAliases() {
        var previous: Unicode.Scalar = "\n"
        for index in self.scalars.indices {
            let scalar = self.scalars[index]
            if scalar == "*", Self.mayPrecedeAlias(previous), index + 1 < self.scalars.count,
                Self.isNameCharacter(self.scalars[index + 1])
            {
                self.scalars[index] = Self.asterisk
            }
            previous = scalar
        }
    }

    private static func mayPrecedeAlias(_ scalar: Unicode.Scalar) -> Bool {
        Self.isBreak(scalar) || scalar == " " || scalar == "\t" || "[{,:".unicodeScalars.contains(scalar)
    }

    private static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (UInt8(truncatingIfNeeded: scalar.value).isNameByte)
    }

    /// The anchor that a plain scalar refers to, if it is an alias.
    func aliasName(_ text: String) -> String? {
        guard text.unicodeScalars.first == Self.asterisk else { return nil }
        return self.restored(String(text.unicodeScalars.dropFirst()))
    }

    /// The text with its asterisks back.
    func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(Self.asterisk) else { return text }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text.unicodeScalars.map { $0 == Self.asterisk ? "*" : $0 })
        return String(view)
    }

    // MARK: - Repeated keys

    /// Makes the key at a place of the prepared text unlike any other. False where it is not a plain or quoted scalar.
    mutating func distinguishKey(at mark: Mark) -> Bool {
        guard var index = self.index(of: mark), !"&!?[{|>".unicodeScalars.contains(self.scalars[index]) else {
            return false
        }
        let place = self.original(mark)
        if self.scalars[index] == "\"" || self.scalars[index] == "'" { index += 1 }
        let inserted = "\(Self.fence)\(self.insertions.count)\(Self.fence)".unicodeScalars
        self.scalars.insert(contentsOf: inserted, at: index)
        self.insertions.append(Insertion(line: place.line, column: place.column, length: inserted.count))
        return true
    }

    /// A key as it was written.
    func key(_ text: String, at mark: Mark) -> String {
        let scalars = text.unicodeScalars
        guard scalars.first == Self.fence, let end = scalars.dropFirst().firstIndex(of: Self.fence) else { return text }
        return String(scalars[scalars.index(after: end)...])
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

    /// The place in the file of a place in the prepared text.
    func original(_ mark: Mark) -> Mark {
        var column = mark.column
        for insertion in self.insertions.filter({ $0.line == mark.line }).sorted(by: { $0.column < $1.column })
        where column > insertion.column {
            column -= insertion.length
        }
        return Mark(line: mark.line, column: max(1, column))
    }

    // MARK: - Syntax errors

    /// An error of the parser, with the fix where the cause is a usual one.
    func syntaxProblem(_ problem: String, context: String?, at mark: Mark) -> ConfigurationProblem {
        var place = self.original(mark)
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

    /// YAML's printable characters, but for the two that this type needs for itself.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE002...0xFEFE, 0xFF00...0xFFFD,
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

extension UInt8 {
    /// A character of an anchor's name: a letter, a digit, "_" or "-".
    fileprivate var isNameByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A, 0x2D: true
        default: false
        }
    }
}
