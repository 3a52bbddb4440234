/// Why a document is not JSON, and where.
public struct JSONProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: String, Sendable {
        case unexpectedEnd = "the document ends too early"
        case unexpectedByte = "an unexpected character"
        case trailingBytes = "something follows the value"
        case tooDeep = "nested too deeply"
        case duplicateMember = "an object has two members of the same name"
        case badNumber = "not a number of JSON, or one that no Double can hold"
        case badString = "a control character, an unknown escape or a lone surrogate in a string"
        case badEncoding = "not UTF-8"
        case tooManyValues = "too many keys and values"
    }

    public var kind: Kind
    /// Offset of the byte at which reading stopped.
    public var offset: Int

    public var description: String { "\(self.kind.rawValue) (at byte \(self.offset))" }
}

/// A strict reader of JSON (RFC 8259) for tokens, key sets and introspection answers.
///
/// Two readers of one token must not see two different things, so whatever some parsers take one way and others another
/// is refused: duplicate members (compared after unescaping), invalid UTF-8, lone surrogates, a byte order mark,
/// anything after the value, numbers out of a `Double`'s range, comments and the like.
public enum JSONReader {
    /// Reads the one value that `bytes` hold. Cost and memory are linear in their number.
    /// - Parameter maximumDepth: How many arrays and objects may stand inside each other.
    public static func parse(_ bytes: RawSpan, maximumDepth: Int = 32) throws(JSONProblem) -> JSONValue {
        var cursor = JSONCursor(end: bytes.byteCount)
        cursor.skipSpace(bytes)
        let value = try cursor.value(bytes, depth: maximumDepth)
        cursor.skipSpace(bytes)
        guard cursor.position == cursor.end else { throw cursor.problem(.trailingBytes) }
        return value
    }
}

/// The position of a reader in its document. The bytes come with each call: a span cannot be stored.
struct JSONCursor {
    var position = 0
    let end: Int

    init(end: Int) {
        self.end = end
    }

    func problem(_ kind: JSONProblem.Kind) -> JSONProblem {
        JSONProblem(kind: kind, offset: self.position)
    }

    mutating func skipSpace(_ bytes: RawSpan) {
        while self.position < self.end {
            switch bytes.byte(self.position) {
            case 0x20, 0x09, 0x0A, 0x0D: self.position &+= 1
            default: return
            }
        }
    }

    func peek(_ bytes: RawSpan) throws(JSONProblem) -> UInt8 {
        guard self.position < self.end else { throw self.problem(.unexpectedEnd) }
        return bytes.byte(self.position)
    }

    mutating func value(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> JSONValue {
        switch try self.peek(bytes) {
        case UInt8(ascii: "{"): return try self.object(bytes, depth: depth - 1)
        case UInt8(ascii: "["): return try self.array(bytes, depth: depth - 1)
        case UInt8(ascii: "\""): return .string(try self.string(bytes))
        case UInt8(ascii: "t"): return try self.literal(bytes, "true", .bool(true))
        case UInt8(ascii: "f"): return try self.literal(bytes, "false", .bool(false))
        case UInt8(ascii: "n"): return try self.literal(bytes, "null", .null)
        case UInt8(ascii: "-"), 0x30...0x39: return try self.number(bytes)
        default: throw self.problem(.unexpectedByte)
        }
    }

    private mutating func literal(
        _ bytes: RawSpan, _ text: StaticString, _ value: JSONValue
    ) throws(JSONProblem) -> JSONValue {
        let next = self.position + text.utf8CodeUnitCount
        guard next <= self.end, bytes.extracting(self.position..<next).equals(text) else {
            throw self.problem(.unexpectedByte)
        }
        self.position = next
        return value
    }

    private mutating func array(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth >= 0 else { throw self.problem(.tooDeep) }
        var items: [JSONValue] = []
        self.position += 1
        self.skipSpace(bytes)
        if try self.take(UInt8(ascii: "]"), bytes) { return .array(items) }
        while true {
            self.skipSpace(bytes)
            items.append(try self.value(bytes, depth: depth))
            self.skipSpace(bytes)
            if try self.take(UInt8(ascii: ","), bytes) { continue }
            if try self.take(UInt8(ascii: "]"), bytes) { return .array(items) }
            throw self.problem(.unexpectedByte)
        }
    }

    private mutating func object(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> JSONValue {
        guard depth >= 0 else { throw self.problem(.tooDeep) }
        var members: [JSONValue.Member] = []
        var names = MemberNames()
        self.position += 1
        self.skipSpace(bytes)
        if try self.take(UInt8(ascii: "}"), bytes) { return .object(members) }
        while true {
            self.skipSpace(bytes)
            guard try self.peek(bytes) == UInt8(ascii: "\"") else { throw self.problem(.unexpectedByte) }
            let name = try self.string(bytes)
            guard names.insert(name, after: members) else { throw self.problem(.duplicateMember) }
            self.skipSpace(bytes)
            guard try self.take(UInt8(ascii: ":"), bytes) else { throw self.problem(.unexpectedByte) }
            self.skipSpace(bytes)
            members.append(.init(name: name, value: try self.value(bytes, depth: depth)))
            self.skipSpace(bytes)
            if try self.take(UInt8(ascii: ","), bytes) { continue }
            if try self.take(UInt8(ascii: "}"), bytes) { return .object(members) }
            throw self.problem(.unexpectedByte)
        }
    }

    private mutating func take(_ byte: UInt8, _ bytes: RawSpan) throws(JSONProblem) -> Bool {
        guard try self.peek(bytes) == byte else { return false }
        self.position += 1
        return true
    }
}

/// Finds a second member of the same name: by comparing while there are few, by a set from then on, so that an object
/// of thousands of members does not cost their square.
///
/// Names count as the same when Swift's `String` says so, that is also in two Unicode normal forms: what looks the
/// same to a person is refused as well.
private struct MemberNames {
    private var set: Set<String> = []

    mutating func insert(_ name: String, after members: [JSONValue.Member]) -> Bool {
        if members.count < 24 { return !members.contains { $0.name == name } }
        if self.set.isEmpty { self.set = Set(members.map(\.name)) }
        return self.set.insert(name).inserted
    }
}
