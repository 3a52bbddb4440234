/// A JSON value (RFC 8259) as the strict reader of this module makes it: no duplicate members, numbers kept both as
/// text and as a `Double`.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number; `text` is its literal form in the document.
    case number(Double, text: String)
    case string(String)
    case array([JSONValue])
    /// Members in the order of the document.
    case object([Member])

    /// A member of an object.
    public struct Member: Equatable, Sendable {
        public var name: String
        public var value: JSONValue

        public init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The value of the member `name`, if this is an object that has it.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// The text, if this is a string.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
