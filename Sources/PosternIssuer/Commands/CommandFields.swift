import PosternCore

/// The fields of a client, user or service key as options gave them, under the names that the API has.
public struct CommandFields: Sendable {
    private(set) var members: [(String, JSONValue)] = []

    public init() {}

    /// Nothing happens for nil: the field was not given.
    public mutating func set(_ field: String, _ text: String?) {
        if let text { self.members.append((field, .string(text))) }
    }

    public mutating func set(_ field: String, _ flag: Bool?) {
        if let flag { self.members.append((field, .bool(flag))) }
    }

    public mutating func set(_ field: String, _ number: Int?) {
        if let number { self.members.append((field, .integer(number))) }
    }

    /// Nothing happens for no text at all; one empty text alone is the empty list.
    public mutating func set(_ field: String, list texts: [String]) {
        if !texts.isEmpty { self.members.append((field, .strings(texts == [""] ? [] : texts))) }
    }

    /// The field is there, and has no value.
    public mutating func setNull(_ field: String) {
        self.members.append((field, .null))
    }

    /// A JSON document. False if the text is none.
    public mutating func set(_ field: String, json text: String) -> Bool {
        guard let value = try? JSONReader.parse(Array(text.utf8).span.bytes) else { return false }
        self.members.append((field, value))
        return true
    }

    /// Reads them as if they had come by the API.
    func reader(_ fields: [String]) -> FieldReader {
        FieldReader(.record(self.members), fields: fields)
    }
}
