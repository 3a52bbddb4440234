import PosternCore

/// Holds values against the part of JSON Schema 2020-12 that the issuer's description uses. A keyword or format that it
/// does not know is a fault, so that no restriction goes unchecked.
struct SchemaValidator: Sendable {
    /// Where references lead.
    let document: JSONValue

    /// What is wrong with the value, a sentence each with the place.
    func faults(_ value: JSONValue, _ schema: JSONValue, at place: String = "$") -> [String] {
        guard case .object(let members) = schema else {
            return schema == .bool(true) ? [] : ["\(place): is not allowed"]
        }
        return members.flatMap { keyword in
            self.check(value, keyword.name, keyword.value, in: schema, at: place)
        }
    }

    private func check(
        _ value: JSONValue, _ keyword: String, _ wanted: JSONValue, in schema: JSONValue, at place: String
    ) -> [String] {
        switch keyword {
        case "description", "default", "examples": return []
        case "type", "const", "enum": return SchemaKeyword.kind(value, keyword, wanted, at: place)
        case "$ref": return self.faults(value, self.resolve(wanted), at: place)
        case "oneOf", "anyOf", "not": return self.combination(value, keyword, wanted, at: place)
        case "minLength", "maxLength", "pattern", "format":
            return SchemaKeyword.text(value, keyword, wanted, at: place)
        case "minimum", "maximum": return SchemaKeyword.number(value, keyword, wanted, at: place)
        case "items", "minItems", "maxItems", "uniqueItems": return self.array(value, keyword, wanted, at: place)
        case "properties", "required", "dependentRequired", "additionalProperties":
            return self.object(value, keyword, wanted, in: schema, at: place)
        default: return ["\(place): the schema has the unknown keyword \(keyword)"]
        }
    }

    /// What a reference names; a schema that nothing fulfils if there is no such thing.
    func resolve(_ reference: JSONValue) -> JSONValue {
        guard let text = reference.string, text.hasPrefix("#/") else { return .bool(false) }
        return text.dropFirst(2).split(separator: "/")
            .reduce(Optional(self.document)) { value, name in value?[String(name)] } ?? .bool(false)
    }

    private func combination(_ value: JSONValue, _ keyword: String, _ wanted: JSONValue, at place: String) -> [String] {
        if keyword == "not" { return self.faults(value, wanted, at: place).isEmpty ? ["\(place): is excluded"] : [] }
        guard case .array(let schemas) = wanted else { return ["\(place): \(keyword) is not a list"] }
        let each = schemas.map { self.faults(value, $0, at: place) }
        let count = each.filter(\.isEmpty).count
        if count == 1 || (count > 1 && keyword == "anyOf") { return [] }
        return count > 1
            ? ["\(place): fits \(count) of \(keyword)"]
            : [
                "\(place): fits none of \(keyword) (\(each.map { $0.joined(separator: "; ") }.joined(separator: " | ")))"
            ]
    }

    private func array(_ value: JSONValue, _ keyword: String, _ wanted: JSONValue, at place: String) -> [String] {
        guard case .array(let items) = value else { return [] }
        switch keyword {
        case "items":
            return items.enumerated().flatMap { self.faults($0.element, wanted, at: "\(place)[\($0.offset)]") }
        case "minItems":
            return Double(items.count) >= SchemaKeyword.double(wanted) ? [] : ["\(place): has too few items"]
        case "maxItems":
            return Double(items.count) <= SchemaKeyword.double(wanted) ? [] : ["\(place): has too many items"]
        default:
            return Set(items.map { $0.serialized() }).count == items.count ? [] : ["\(place): has an item twice"]
        }
    }

    private func object(
        _ value: JSONValue, _ keyword: String, _ wanted: JSONValue, in schema: JSONValue, at place: String
    ) -> [String] {
        guard case .object(let members) = value else { return [] }
        switch keyword {
        case "required":
            guard case .array(let names) = wanted else { return ["\(place): required is not a list"] }
            return names.compactMap(\.string).filter { value[$0] == nil }.map { "\(place): lacks \($0)" }
        case "dependentRequired":
            return members.flatMap { member in
                wanted[member.name].map { self.object(value, "required", $0, in: schema, at: place) } ?? []
            }
        case "properties":
            return members.flatMap { member in
                wanted[member.name].map { self.faults(member.value, $0, at: "\(place).\(member.name)") } ?? []
            }
        default:
            return members.filter { schema["properties"]?[$0.name] == nil }
                .flatMap { self.faults($0.value, wanted, at: "\(place).\($0.name)") }
        }
    }
}
