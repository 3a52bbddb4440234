/// A scalar whose references are replaced.
struct ScalarText {
    var text: String
    var style: ConfigurationNode.Style
    /// Whether something was replaced. Then the text may be a secret and is never repeated in a message, and quotes
    /// do not make a string of a number: inside `{…}` YAML wants them.
    var isReplaced: Bool

    /// Whether the text may stand for something other than a string.
    var mayBeTyped: Bool { self.style == .plain || self.isReplaced }
}

/// Why a scalar is not what it should be.
struct ScalarProblem: Error {
    /// What is wanted instead; nil: what the shape says.
    var wanted: String?
    /// What exactly is wrong. May repeat the text.
    var detail: String?
    var suggestion: String?

    /// The detail as it follows a sentence.
    var suffix: String { self.detail.map { ": \($0)" } ?? "" }
}

extension SchemaReader {
    mutating func readScalar(
        _ text: String, style: ConfigurationNode.Style, mark: Mark, as shape: Shape, path: String
    ) -> Field? {
        if case .list(let item, _, true) = shape, item.accepts(.scalar) {
            return self.readScalar(text, style: style, mark: mark, as: item, path: path)
                .map { Field(value: .list([$0]), mark: mark, path: path) }
        }
        guard let scalar = self.replaced(text, style: style, mark: mark, path: path) else { return nil }
        let all: [Shape] = if case .either(let shapes) = shape { shapes } else { [shape] }
        let alternatives = all.filter { $0.accepts(.scalar) }
        do {
            return Field(value: try Self.value(of: scalar, as: alternatives), mark: mark, path: path)
        } catch {
            let detail = scalar.isReplaced ? nil : error.detail
            // Who has nearly written a string is not told about lists and mappings.
            let wanted = detail == nil ? shape.wanted : Shape.either(alternatives).wanted
            self.report(
                "must be \(error.wanted ?? wanted)\(detail.map { ": \($0)" } ?? "")", at: mark, path: path,
                suggestion: scalar.isReplaced ? nil : error.suggestion)
            return nil
        }
    }

    /// The text with its references replaced; nil if that fails.
    mutating func replaced(
        _ text: String, style: ConfigurationNode.Style, mark: Mark, path: String
    ) -> ScalarText? {
        guard Reference.isPresent(in: text) else { return ScalarText(text: text, style: style, isReplaced: false) }
        let (result, problems) = Reference.replace(in: text, variable: self.environment.variable)
        for problem in problems { self.report(problem, at: mark, path: path) }
        return problems.isEmpty ? ScalarText(text: result, style: style, isReplaced: true) : nil
    }

    /// A word of a choice wins over the other alternatives, of which there is one at most.
    private static func value(of scalar: ScalarText, as shapes: [Shape]) throws(ScalarProblem) -> Field.Value {
        var words: [String] = []
        for case .choice(let choices) in shapes { words += choices }
        if words.contains(scalar.text) { return .word(scalar.text) }
        let suggestion = NearMiss.suggestion(for: scalar.text, among: words)
        for shape in shapes {
            if case .choice = shape { continue }
            do {
                return try Self.value(of: scalar, as: shape)
            } catch {
                let wanted = shapes.count == 1 ? error.wanted : nil
                throw ScalarProblem(
                    wanted: wanted, detail: suggestion == nil ? error.detail : nil,
                    suggestion: suggestion ?? error.suggestion)
            }
        }
        throw ScalarProblem(suggestion: suggestion)
    }

    private static func value(of scalar: ScalarText, as shape: Shape) throws(ScalarProblem) -> Field.Value {
        switch shape {
        case .text(let format): return try Self.text(scalar, format: format)
        case .secret(let minimum): return .secret(try Self.secret(Array(scalar.text.utf8), minimum: minimum))
        case .boolean: return .boolean(try Self.boolean(scalar))
        case .integer(let range): return .integer(try Self.integer(scalar, in: range))
        case .duration(let range): return .duration(try Self.duration(scalar.text, in: range))
        case .size(let range): return .size(try Self.size(scalar.text, in: range))
        case .scalar: return .json(try Self.json(scalar))
        case .choice, .list, .section, .entries, .object, .either: throw ScalarProblem()
        }
    }

    private static func boolean(_ scalar: ScalarText) throws(ScalarProblem) -> Bool {
        switch scalar.text {
        case "true" where scalar.mayBeTyped: return true
        case "false" where scalar.mayBeTyped: return false
        case "true", "false": throw ScalarProblem(detail: "remove the quotes")
        default: throw ScalarProblem(detail: PlainScalar.isOldBoolean(scalar.text) ? "write it in full" : nil)
        }
    }

    private static func integer(_ scalar: ScalarText, in range: ClosedRange<Int>) throws(ScalarProblem) -> Int {
        guard PlainScalar.isDecimal(scalar.text) else { throw ScalarProblem() }
        guard scalar.mayBeTyped else { throw ScalarProblem(detail: "remove the quotes") }
        guard let number = Int(scalar.text), range.contains(number) else { throw ScalarProblem() }
        return number
    }

    private static func duration(_ text: String, in range: ClosedRange<Int64>) throws(ScalarProblem) -> Int64 {
        guard let duration = Nanoseconds.parse(text) else { throw ScalarProblem(detail: Nanoseconds.fix(for: text)) }
        guard range.contains(duration) else {
            let bounds = "\(Nanoseconds.text(range.lowerBound)) to \(Nanoseconds.text(range.upperBound))"
            throw ScalarProblem(wanted: "a duration from \(bounds)")
        }
        return duration
    }

    private static func size(_ text: String, in range: ClosedRange<Int>) throws(ScalarProblem) -> Int {
        guard let size = ByteSize.parse(text) else { throw ScalarProblem(detail: ByteSize.fix(for: text)) }
        guard range.contains(size) else {
            let bounds = "\(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))"
            throw ScalarProblem(wanted: "a size from \(bounds)")
        }
        return size
    }

    static func secret(_ bytes: [UInt8], minimum: Int) throws(ScalarProblem) -> Secret {
        guard bytes.count >= minimum else {
            let least = minimum == 1 ? "not empty" : "at least \(minimum) bytes long, and has \(bytes.count)"
            throw ScalarProblem(wanted: least)
        }
        return Secret(bytes)
    }
}
