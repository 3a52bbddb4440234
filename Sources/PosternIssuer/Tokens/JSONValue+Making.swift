import PosternCore

extension JSONValue {
    /// An object with these members, in this order.
    static func record(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { .init(name: $0.0, value: $0.1) })
    }

    /// A whole number.
    static func integer(_ value: Int) -> JSONValue {
        .number(Double(value), text: String(value))
    }

    /// An array of strings.
    static func strings(_ values: [String]) -> JSONValue {
        .array(values.map { .string($0) })
    }
}
