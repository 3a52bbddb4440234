/// What a statement is given and what a row holds.
enum SQLValue: Equatable, Sendable {
    case null
    case text(String)
    case integer(Int)
    case blob([UInt8])

    /// 1 or 0.
    static func flag(_ isSet: Bool) -> SQLValue { .integer(isSet ? 1 : 0) }

    static func optional(_ text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }

    static func optional(_ number: Int?) -> SQLValue { number.map(SQLValue.integer) ?? .null }

    /// Whether it is a text with U+0000. Databases end a text there, so that none in a store holds it: `admin` and
    /// `admin`, U+0000 would be the same name.
    var holdsNUL: Bool {
        guard case .text(let text) = self else { return false }
        return text.holdsNUL
    }
}

extension String {
    /// Whether it has a character U+0000.
    var holdsNUL: Bool {
        // Over the bytes where they lie: to go over them through the string takes ten times as long.
        self.utf8.withContiguousStorageIfAvailable { $0.contains(0) } ?? self.utf8.contains(0)
    }
}

/// A row of an answer: its values in the order of the statement's columns.
typealias SQLRow = [SQLValue]

/// Reads the values of a row one after the other, each as the type that its column has.
///
/// Every read throws `StoreError` where the value is something else: somebody changed the store by hand.
struct SQLCells {
    private var rest: ArraySlice<SQLValue>

    init(_ row: SQLRow) {
        self.rest = row[...]
    }

    private mutating func next() throws(StoreError) -> SQLValue {
        guard let value = self.rest.popFirst() else { throw .malformed("a row is too short") }
        return value
    }

    mutating func text() throws(StoreError) -> String {
        guard case .text(let text) = try self.next() else { throw .malformed("a value is no text") }
        return text
    }

    mutating func integer() throws(StoreError) -> Int {
        guard case .integer(let number) = try self.next() else { throw .malformed("a value is no number") }
        return number
    }

    mutating func blob() throws(StoreError) -> [UInt8] {
        guard case .blob(let bytes) = try self.next() else { throw .malformed("a value is no sequence of octets") }
        return bytes
    }

    mutating func flag() throws(StoreError) -> Bool {
        try self.integer() != 0
    }

    mutating func optionalText() throws(StoreError) -> String? {
        if self.skipsNull() { return nil }
        return try self.text()
    }

    mutating func optionalBlob() throws(StoreError) -> [UInt8]? {
        if self.skipsNull() { return nil }
        return try self.blob()
    }

    mutating func optionalInteger() throws(StoreError) -> Int? {
        if self.skipsNull() { return nil }
        return try self.integer()
    }

    private mutating func skipsNull() -> Bool {
        guard self.rest.first == .null else { return false }
        self.rest.removeFirst()
        return true
    }
}
