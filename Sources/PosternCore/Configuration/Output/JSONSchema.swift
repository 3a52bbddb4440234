extension ConfigurationLoader {
    /// The JSON Schema (draft 2020-12) of proxy.yaml, for editors and other validators.
    ///
    /// It knows what a single value may be; what values mean together only `ConfigurationLoader` checks.
    public static func jsonSchema() -> String {
        guard case .object(let members) = Shape.document.schema else { return "" }
        let head: [(String, JSONValue?)] = [
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
            ("$id", .string("urn:postern:schema:proxy.yaml:1")),
            ("title", .string("proxy.yaml")),
        ]
        let reference = JSONValue.members([
            ("description", .string("A string with ${NAME} or ${NAME:-default}, replaced from the environment")),
            ("type", .string("string")), ("pattern", .string(#"\$\{"#)),
        ])
        let definitions = JSONValue.members([("$defs", .members([("reference", reference)]))])
        guard case .object(let first) = JSONValue.members(head), case .object(let last) = definitions else { return "" }
        return JSONText.pretty(.object(first + members + last))
    }
}

extension Section {
    fileprivate var schema: JSONValue {
        let properties = self.keys.map { JSONValue.Member(name: $0.name, value: $0.schema) }
        let required = self.keys.filter(\.required).map(\.name)
        let groups = self.exactlyOne.map { group in
            JSONValue.members([
                ("oneOf", .array(group.map { .members([("required", .strings([$0]))]) }))
            ])
        }
        return .members([
            ("description", .string(self.summary)), ("type", .string("object")),
            ("properties", .object(properties)), ("required", required.isEmpty ? nil : .strings(required)),
            ("allOf", groups.isEmpty ? nil : .array(groups)), ("additionalProperties", .bool(false)),
        ])
    }
}

extension Key {
    var schema: JSONValue {
        let note =
            switch self.availability {
            case .now: ""
            case .later: " (not available yet)"
            }
        guard case .object(let members) = self.shape.schema else { return .bool(true) }
        let rest = members.filter { $0.name != "description" }
        guard case .object(let first) = JSONValue.members([("description", .string(self.summary + note))]),
            case .object(let last) = JSONValue.members([("default", self.absent.flatMap { Self.json($0) })])
        else { return .bool(true) }
        return .object(first + rest + last)
    }

    /// A default as JSON; nothing for an empty section, whose keys have their own.
    private static func json(_ node: ConfigurationNode) -> JSONValue? {
        switch node {
        case .scalar(let text, let style, _):
            try? SchemaReader.json(ScalarText(text: text, style: style, isReplaced: false))
        case .sequence(let items, _): .array(items.compactMap { Self.json($0) })
        case .mapping: nil
        }
    }
}

extension Shape {
    fileprivate var schema: JSONValue {
        switch self {
        case .text(let format): Self.string(pattern: format.pattern)
        case .secret(let minimum): Self.secret(minimum: minimum)
        case .boolean: Self.orReference([("type", .string("boolean"))])
        case .integer(let range):
            Self.orReference([
                ("type", .string("integer")), ("minimum", .whole(range.lowerBound)),
                ("maximum", .whole(range.upperBound)),
            ])
        case .duration: Self.string(pattern: "^[0-9]+(ms|s|m|h)$")
        case .size: Self.string(pattern: "^[0-9]+(B|KiB|MiB|GiB)$")
        case .choice(let words): Self.orReference([("enum", .strings(words))])
        case .list(let item, let minimum, let single): Self.list(item.schema, minimum: minimum, single: single)
        case .section(let section): section.schema
        case .entries(let key, let item, let noun):
            .members([
                ("type", .string("object")), ("description", .string("By the name of the \(noun)")),
                ("propertyNames", key.pattern.map { .members([("pattern", .string($0))]) }),
                ("additionalProperties", item.schema),
            ])
        case .scalar: .members([("type", .strings(["string", "number", "boolean"]))])
        case .object: .members([("type", .string("object"))])
        case .either(let shapes): .members([("anyOf", .array(shapes.map(\.schema)))])
        }
    }

    private static func string(pattern: String?) -> JSONValue {
        guard let pattern else { return .members([("type", .string("string")), ("minLength", .whole(1))]) }
        return Self.orReference([("type", .string("string")), ("pattern", .string(pattern))])
    }

    private static func orReference(_ members: [(String, JSONValue?)]) -> JSONValue {
        .members([("anyOf", .array([.members(members), .members([("$ref", .string("#/$defs/reference"))])]))])
    }

    private static func secret(minimum: Int) -> JSONValue {
        let file = JSONValue.members([
            ("type", .string("object")),
            ("properties", .members([("file", .members([("type", .string("string"))]))])),
            ("required", .strings(["file"])), ("additionalProperties", .bool(false)),
        ])
        // The minimum counts bytes, and a schema characters: every long enough string has at least a quarter of them.
        let text: [(String, JSONValue?)] = [
            ("type", .string("string")), ("minLength", .whole(max(1, minimum / 4))),
        ]
        return .members([("anyOf", .array([Self.orReference(text), file]))])
    }

    private static func list(_ item: JSONValue, minimum: Int, single: Bool) -> JSONValue {
        let list = JSONValue.members([
            ("type", .string("array")), ("items", item), ("minItems", minimum > 0 ? .whole(minimum) : nil),
        ])
        return single ? .members([("anyOf", .array([item, list]))]) : list
    }
}
