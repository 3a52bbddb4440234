import PosternCore

/// A JSON Schema in the dialect of OpenAPI 3.1 (2020-12), made by naming one restriction after another.
struct Schema: Sendable {
    private var members: [(String, JSONValue)]

    private init(_ members: [(String, JSONValue)]) {
        self.members = members
    }

    /// As it stands in the document.
    var json: JSONValue { .record(self.members) }

    private func with(_ name: String, _ value: JSONValue) -> Schema {
        Schema(self.members.filter { $0.0 != name } + [(name, value)])
    }

    // MARK: Kinds

    /// Any text.
    static let string = Schema([("type", .string("string"))])
    /// True or false.
    static let boolean = Schema([("type", .string("boolean"))])
    /// Null alone.
    static let null = Schema([("type", .string("null"))])
    /// Any value.
    static let anything = Schema([])
    /// A UUID in lower case.
    static let uuid = Schema.string.format("uuid")
    /// RFC 3339 in UTC, whole seconds.
    static let time = Schema.string.format("date-time").pattern("^[0-9-]{10}T[0-9:]{8}Z$")
    /// An absolute URL.
    static let url = Schema.string.format("uri")
    /// Seconds since 1970 (RFC 7519 section 2, NumericDate).
    static let unixTime = Schema.integer(0...)

    /// A whole number in the range.
    static func integer(_ range: ClosedRange<Int>) -> Schema {
        Self.integer(range.lowerBound...).with("maximum", .integer(range.upperBound))
    }

    /// A whole number from there on.
    static func integer(_ range: PartialRangeFrom<Int>) -> Schema {
        Schema([("type", .string("integer")), ("minimum", .integer(range.lowerBound))])
    }

    /// One of these strings.
    static func choice(_ values: [String]) -> Schema {
        Schema.string.with("enum", .strings(values))
    }

    /// Exactly this value.
    static func constant(_ value: JSONValue) -> Schema {
        Schema([("const", value)])
    }

    /// What has that name.
    static func reference(_ component: Component) -> Schema {
        Schema([("$ref", .string("#/components/schemas/\(component.rawValue)"))])
    }

    /// Any number of these.
    static func array(of items: Schema) -> Schema {
        Schema([("type", .string("array")), ("items", items.json)])
    }

    /// Exactly one of these.
    static func one(of schemas: [Schema]) -> Schema {
        Schema([("oneOf", .array(schemas.map(\.json)))])
    }

    /// At least one of these.
    static func any(of schemas: [Schema]) -> Schema {
        Schema([("anyOf", .array(schemas.map(\.json)))])
    }

    /// An object with these members. Unless `others` says what further ones hold, there are none.
    static func object(_ fields: [SchemaField], others: Schema? = nil) -> Schema {
        var members: [(String, JSONValue)] = [("type", .string("object"))]
        let required = fields.filter(\.isRequired).map(\.name)
        if !required.isEmpty { members.append(("required", .strings(required))) }
        members.append(("properties", .record(fields.map { ($0.name, $0.schema.json) })))
        members.append(("additionalProperties", others?.json ?? .bool(false)))
        return Schema(members)
    }

    // MARK: Restrictions

    /// A sentence for people.
    func described(_ text: String) -> Schema { self.with("description", .string(text)) }
    /// A format of JSON Schema: `uuid`, `date-time` …
    func format(_ name: String) -> Schema { self.with("format", .string(name)) }
    /// - Parameter expression: What JSON Schema and Swift's `Regex` read alike.
    func pattern(_ expression: String) -> Schema { self.with("pattern", .string(expression)) }
    /// The value that counts where none is sent.
    func byDefault(_ value: JSONValue) -> Schema { self.with("default", value) }
    /// What a value looks like.
    func example(_ value: JSONValue) -> Schema { self.with("examples", .array([value])) }
    /// But not this.
    func except(_ schema: Schema) -> Schema { self.with("not", schema.json) }
    /// No item twice.
    var distinct: Schema { self.with("uniqueItems", .bool(true)) }

    /// Characters of a string.
    func length(_ range: ClosedRange<Int>) -> Schema {
        let schema = range.lowerBound > 0 ? self.with("minLength", .integer(range.lowerBound)) : self
        return schema.with("maxLength", .integer(range.upperBound))
    }

    /// Items of an array.
    func count(_ range: ClosedRange<Int>) -> Schema {
        let schema = range.lowerBound > 0 ? self.with("minItems", .integer(range.lowerBound)) : self
        return schema.with("maxItems", .integer(range.upperBound))
    }

    /// Each of these members of the object comes with all of them.
    func together(_ names: String...) -> Schema {
        self.with("dependentRequired", .record(names.map { name in (name, .strings(names.filter { $0 != name })) }))
    }

    /// The object of this schema where further members, which it has as well, hold something narrower.
    func narrowed(_ fields: [SchemaField]) -> Schema {
        self.with("properties", .record(fields.map { ($0.name, $0.schema.json) }))
    }

    /// Or null.
    var orNull: Schema {
        guard let index = self.members.firstIndex(where: { $0.0 == "type" }),
            case .string(let type) = self.members[index].1
        else { return .any(of: [self, .null]) }
        var copy = self
        copy.members[index].1 = .strings([type, "null"])
        return copy
    }
}

/// A member of an object.
struct SchemaField: Sendable {
    let name: String
    let schema: Schema
    let isRequired: Bool

    /// One that is always there.
    static func required(_ name: String, _ schema: Schema) -> SchemaField {
        SchemaField(name: name, schema: schema, isRequired: true)
    }

    /// One that may be missing.
    static func optional(_ name: String, _ schema: Schema) -> SchemaField {
        SchemaField(name: name, schema: schema, isRequired: false)
    }
}
