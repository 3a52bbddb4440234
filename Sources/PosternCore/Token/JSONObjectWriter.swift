/// Writes one JSON object as bytes, member after member: for what is written often and is no value otherwise.
///
/// Names are the caller's own and have nothing to escape; none is written twice.
public struct JSONObjectWriter: Sendable {
    private var bytes: [UInt8] = []

    public init() {
        self.bytes.reserveCapacity(512)
    }

    private mutating func begin(_ name: StaticString) {
        self.bytes.append(UInt8(ascii: self.bytes.isEmpty ? "{" : ","))
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(name)
        self.bytes.append("\":")
    }

    /// Adds a string.
    public mutating func add(_ name: StaticString, _ text: String) {
        self.begin(name)
        self.bytes.append(json: text)
    }

    /// Adds a whole number.
    public mutating func add(_ name: StaticString, _ number: Int) {
        self.begin(name)
        self.bytes.append(contentsOf: String(number).utf8)
    }

    /// Adds true or false.
    public mutating func add(_ name: StaticString, _ flag: Bool) {
        self.begin(name)
        self.bytes.append(flag ? "true" : "false")
    }

    /// Adds a string that is made of these, with a space between them.
    public mutating func add(_ name: StaticString, joined texts: [String]) {
        self.begin(name)
        self.bytes.append(json: texts)
    }

    /// Adds a string that holds nothing to escape, such as a token.
    ///
    /// - Parameter text: Of the characters of base64url and dots, or others that stand for themselves in JSON.
    public mutating func add(_ name: StaticString, plain text: String) {
        self.begin(name)
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(contentsOf: text.utf8)
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// Adds an array of strings.
    public mutating func add(_ name: StaticString, _ texts: [String]) {
        self.begin(name)
        self.bytes.append(UInt8(ascii: "["))
        var isFirst = true
        for text in texts {
            if !isFirst { self.bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            self.bytes.append(json: text)
        }
        self.bytes.append(UInt8(ascii: "]"))
    }

    /// The object.
    public consuming func finished() -> [UInt8] {
        if self.bytes.isEmpty { self.bytes.append(UInt8(ascii: "{")) }
        self.bytes.append(UInt8(ascii: "}"))
        return self.bytes
    }
}
