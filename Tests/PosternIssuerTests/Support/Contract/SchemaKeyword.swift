import PosternCore

/// The keywords of JSON Schema that look at one value alone.
enum SchemaKeyword {
    static func kind(_ value: JSONValue, _ keyword: String, _ wanted: JSONValue, at place: String) -> [String] {
        switch (keyword, wanted) {
        case ("const", _): return value == wanted ? [] : ["\(place): is not \(wanted.serialized())"]
        case ("enum", .array(let choices)):
            return choices.contains(value)
                ? [] : ["\(place): \(value.serialized()) is not one of \(wanted.serialized())"]
        case ("type", .string(let type)):
            return Self.types(of: value).contains(type) ? [] : ["\(place): is not of type \(type)"]
        case ("type", .array(let types)):
            let names = types.compactMap(\.string)
            return Self.types(of: value).contains(where: names.contains)
                ? [] : ["\(place): is of none of the types \(names)"]
        default: return ["\(place): \(keyword) is malformed"]
        }
    }

    private static func types(of value: JSONValue) -> [String] {
        switch value {
        case .null: ["null"]
        case .bool: ["boolean"]
        case .string: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        case .number(let number, _): number.rounded() == number ? ["number", "integer"] : ["number"]
        }
    }

    static func double(_ value: JSONValue) -> Double {
        if case .number(let number, _) = value { number } else { .nan }
    }

    static func number(_ value: JSONValue, _ keyword: String, _ wanted: JSONValue, at place: String) -> [String] {
        guard case .number(let number, _) = value else { return [] }
        let bound = Self.double(wanted)
        let fits = keyword == "minimum" ? number >= bound : number <= bound
        return fits ? [] : ["\(place): \(number) breaks the \(keyword) \(bound)"]
    }

    static func text(_ value: JSONValue, _ keyword: String, _ wanted: JSONValue, at place: String) -> [String] {
        guard case .string(let text) = value else { return [] }
        let fits =
            switch keyword {
            case "minLength": Double(text.unicodeScalars.count) >= Self.double(wanted)
            case "maxLength": Double(text.unicodeScalars.count) <= Self.double(wanted)
            case "pattern": Self.matches(text, wanted.string)
            default: Self.hasFormat(text, wanted.string)
            }
        return fits ? [] : ["\(place): \"\(text.prefix(80))\" breaks the \(keyword) \(wanted.serialized())"]
    }

    /// No expression that Swift cannot read fits anything.
    private static func matches(_ text: String, _ expression: String?) -> Bool {
        guard let expression, let regex = try? Regex(expression).matchingSemantics(.unicodeScalar) else { return false }
        return text.firstMatch(of: regex) != nil
    }

    /// Formats are checked, not just noted; an unknown one fits nothing.
    private static func hasFormat(_ text: String, _ format: String?) -> Bool {
        switch format {
        case "password": true
        case "uuid": Self.matches(text, "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        case "date": Self.matches(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
        case "date-time":
            Self.matches(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$")
        case "uri": Self.matches(text, "^[a-z][a-z0-9+.-]*:[!-~]+$")
        case "uri-reference": Self.matches(text, "^[!-~]+$")
        default: false
        }
    }
}
