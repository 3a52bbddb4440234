/// What an issuer said about a token (RFC 7662 section 2.2, or the hecate dialect).
public enum IntrospectionAnswer: Equatable, Sendable {
    /// The token is good; the whole answer, an object. The rules are still to be applied: `IntrospectionRules`.
    case active(JSONValue)
    case inactive

    /// Octets of the longest answer that is read.
    public static let maximumLength = 1 << 20

    /// Reads the body of an answer with status 200.
    ///
    /// Nothing but the JSON literals `true` and `false` is a verdict: an issuer that says `"false"` or 1 is out of order,
    /// and so is one that says it twice.
    public static func read(
        _ body: RawSpan, dialect: IntrospectionDialect
    ) throws(IntrospectionProblem) -> IntrospectionAnswer {
        guard body.byteCount <= Self.maximumLength else { throw .tooLong }
        let value: JSONValue
        do throws(JSONProblem) {
            value = try JSONReader.parse(body)
        } catch {
            throw .json(error)
        }
        guard case .object = value else { throw .notAnObject }
        guard case .bool(let isActive)? = value[dialect.verdict] else { throw .noVerdict(member: dialect.verdict) }
        return isActive ? .active(value) : .inactive
    }
}

/// Why an answer of an issuer says nothing about the token. For the log: no text of it holds anything of the answer.
public enum IntrospectionProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// Over `IntrospectionAnswer.maximumLength`.
    case tooLong
    /// Not strict JSON: an object with two members of one name, something behind the value and the like included.
    case json(JSONProblem)
    case notAnObject
    /// The member that has to be `true` or `false` is something else, or not there.
    case noVerdict(member: String)

    public var description: String {
        switch self {
        case .tooLong: "the answer is longer than \(IntrospectionAnswer.maximumLength) bytes"
        case .json(let problem): "the answer is not JSON that has one meaning: \(problem)"
        case .notAnObject: "the answer is not a JSON object"
        case .noVerdict(let member): "the answer has no member \"\(member)\" that is true or false"
        }
    }
}
