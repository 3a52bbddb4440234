/// Reads JSON (RFC 8259) into the tree that YAML is read into, so that every value has its place.
///
/// What JSON allows and a YAML 1.1 reader refuses (escaped surrogate pairs, tabs between values) is read here. Repeated
/// keys are kept: whoever reads the tree says where they are.
public enum MarkedJSON {
    /// The tree, or the first thing that is not JSON. Cost and memory are linear in the number of bytes.
    ///
    /// - Parameters:
    ///   - maximumDepth: how many objects and arrays may stand inside each other.
    ///   - maximumNodes: how many keys and values there may be.
    public static func read(
        _ bytes: [UInt8], maximumDepth: Int, maximumNodes: Int
    ) -> Result<ConfigurationNode, ConfigurationProblems> {
        var reader = MarkedJSONReader(end: bytes.count, room: maximumNodes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.skip(3) }
        do throws(JSONProblem) {
            return .success(try reader.document(bytes.span.bytes, depth: maximumDepth))
        } catch {
            let mark = reader.places.mark(of: error.offset, in: bytes.span.bytes)
            let problem = ConfigurationProblem(mark: mark, path: "", message: "not valid JSON: \(error.kind.rawValue)")
            return .failure(ConfigurationProblems([problem]))
        }
    }
}

/// Lines and columns of a text that is read from front to back.
private struct Places {
    private var offset: Int
    private var place = Mark(line: 1, column: 1)

    init(start: Int = 0) {
        self.offset = start
    }

    /// The place of a byte. An offset before the last one asked for has the place of that one.
    mutating func mark(of position: Int, in bytes: RawSpan) -> Mark {
        while self.offset < min(position, bytes.byteCount) {
            let byte = bytes.byte(self.offset)
            if byte == 0x0A {
                self.place = Mark(line: self.place.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                // Bytes that continue a character are no column of their own.
                self.place.column += 1
            }
            self.offset += 1
        }
        return self.place
    }
}

private struct MarkedJSONReader {
    private var cursor: JSONCursor
    private var room: Int
    var places = Places()

    init(end: Int, room: Int) {
        self.cursor = JSONCursor(end: end)
        self.room = room
    }

    /// Leaves out a byte order mark, which has no column.
    mutating func skip(_ count: Int) {
        self.cursor.position = count
        self.places = Places(start: count)
    }

    mutating func document(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> ConfigurationNode {
        self.cursor.skipSpace(bytes)
        let node = try self.value(bytes, depth: depth)
        self.cursor.skipSpace(bytes)
        guard self.cursor.position == self.cursor.end else { throw self.cursor.problem(.trailingBytes) }
        return node
    }

    private mutating func value(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> ConfigurationNode {
        self.room -= 1
        guard self.room >= 0 else { throw self.cursor.problem(.tooManyValues) }
        let first = try self.cursor.peek(bytes)
        let mark = self.places.mark(of: self.cursor.position, in: bytes)
        switch first {
        case UInt8(ascii: "{"): return .mapping(try self.members(bytes, depth: depth - 1), mark: mark)
        case UInt8(ascii: "["): return .sequence(try self.items(bytes, depth: depth - 1), mark: mark)
        case UInt8(ascii: "\""): return .scalar(try self.cursor.string(bytes), style: .quoted, mark: mark)
        default:
            switch try self.cursor.value(bytes, depth: 0) {
            case .number(_, let text): return .scalar(text, style: .plain, mark: mark)
            case .bool(let isTrue): return .scalar(isTrue ? "true" : "false", style: .plain, mark: mark)
            case .null, .string, .array, .object: return .scalar("null", style: .plain, mark: mark)
            }
        }
    }

    private mutating func items(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> [ConfigurationNode] {
        guard depth >= 0 else { throw self.cursor.problem(.tooDeep) }
        var items: [ConfigurationNode] = []
        self.cursor.position += 1
        self.cursor.skipSpace(bytes)
        if try self.take(UInt8(ascii: "]"), bytes) { return items }
        while true {
            self.cursor.skipSpace(bytes)
            items.append(try self.value(bytes, depth: depth))
            self.cursor.skipSpace(bytes)
            if try self.take(UInt8(ascii: ","), bytes) { continue }
            if try self.take(UInt8(ascii: "]"), bytes) { return items }
            throw self.cursor.problem(.unexpectedByte)
        }
    }

    private mutating func members(_ bytes: RawSpan, depth: Int) throws(JSONProblem) -> [ConfigurationNode.Pair] {
        guard depth >= 0 else { throw self.cursor.problem(.tooDeep) }
        var pairs: [ConfigurationNode.Pair] = []
        self.cursor.position += 1
        self.cursor.skipSpace(bytes)
        if try self.take(UInt8(ascii: "}"), bytes) { return pairs }
        while true {
            self.cursor.skipSpace(bytes)
            guard try self.cursor.peek(bytes) == UInt8(ascii: "\"") else { throw self.cursor.problem(.unexpectedByte) }
            let mark = self.places.mark(of: self.cursor.position, in: bytes)
            let key = ConfigurationNode.scalar(try self.cursor.string(bytes), style: .quoted, mark: mark)
            self.cursor.skipSpace(bytes)
            guard try self.take(UInt8(ascii: ":"), bytes) else { throw self.cursor.problem(.unexpectedByte) }
            self.cursor.skipSpace(bytes)
            pairs.append(.init(key: key, value: try self.value(bytes, depth: depth)))
            self.cursor.skipSpace(bytes)
            if try self.take(UInt8(ascii: ","), bytes) { continue }
            if try self.take(UInt8(ascii: "}"), bytes) { return pairs }
            throw self.cursor.problem(.unexpectedByte)
        }
    }

    private mutating func take(_ byte: UInt8, _ bytes: RawSpan) throws(JSONProblem) -> Bool {
        guard try self.cursor.peek(bytes) == byte else { return false }
        self.cursor.position += 1
        return true
    }
}
