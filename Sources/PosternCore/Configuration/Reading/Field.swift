/// A value that was read as its shape wants, with its place.
struct Field: Sendable {
    indirect enum Value: Sendable {
        case text(String)
        /// One of a shape's words.
        case word(String)
        case secret(Secret)
        case boolean(Bool)
        case integer(Int)
        /// Nanoseconds.
        case duration(Int64)
        /// Bytes.
        case size(Int)
        case address(Address)
        case url(URLReference)
        case redis(RedisURL)
        case json(JSONValue)
        case list([Field])
        /// The keys that are there, and the defaults of those that are not.
        case section([String: Field])
        case entries([Entry])
    }

    /// One entry of a mapping with keys of the author's own.
    struct Entry: Sendable {
        var key: String
        var mark: Mark
        var field: Field
    }

    var value: Value
    var mark: Mark
    var path: String
    /// Whether it was written, and is not a default.
    var isWritten = true

    // MARK: - Access: nil where the value is another kind, or where a problem was found in it

    subscript(key: String) -> Field? {
        if case .section(let fields) = self.value { fields[key] } else { nil }
    }

    /// The field, if it was written in the file.
    func written(_ key: String) -> Field? {
        guard let field = self[key], field.isWritten else { return nil }
        return field
    }

    var text: String? {
        switch self.value {
        case .text(let text), .word(let text): text
        default: nil
        }
    }

    var word: String? {
        if case .word(let word) = self.value { word } else { nil }
    }

    var secret: Secret? {
        if case .secret(let secret) = self.value { secret } else { nil }
    }

    var boolean: Bool? {
        if case .boolean(let boolean) = self.value { boolean } else { nil }
    }

    var integer: Int? {
        if case .integer(let integer) = self.value { integer } else { nil }
    }

    var duration: Int64? {
        if case .duration(let duration) = self.value { duration } else { nil }
    }

    var size: Int? {
        if case .size(let size) = self.value { size } else { nil }
    }

    var address: Address? {
        if case .address(let address) = self.value { address } else { nil }
    }

    var url: URLReference? {
        if case .url(let url) = self.value { url } else { nil }
    }

    var redis: RedisURL? {
        if case .redis(let url) = self.value { url } else { nil }
    }

    var json: JSONValue? {
        if case .json(let json) = self.value { json } else { nil }
    }

    var list: [Field]? {
        if case .list(let items) = self.value { items } else { nil }
    }

    /// The texts of a list.
    var texts: [String]? {
        self.list?.compactMap(\.text)
    }

    var entries: [Entry]? {
        if case .entries(let entries) = self.value { entries } else { nil }
    }
}
