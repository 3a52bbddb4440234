/// The types that the store has to do with, by the numbers that PostgreSQL has for them (pg_type.dat).
enum PostgresType {
    static let unknown: UInt32 = 0
    static let blob: UInt32 = 17
    static let integer: UInt32 = 20
    static let text: UInt32 = 25

    /// A value in the binary format.
    static func value(_ octets: [UInt8], of type: UInt32) throws(StoreError) -> SQLValue {
        switch type {
        // bool, int2, int4, int8
        case 16, 20, 21, 23: return try Self.integer(octets)
        case Self.blob: return .blob(octets)
        // name, text, varchar
        case 19, Self.text, 1043: return .text(String(decoding: octets, as: UTF8.self))
        default: throw .malformed("a value has the type \(type), which is none of the store's")
        }
    }

    /// Two's complement, the highest octet first; a bool is one octet.
    private static func integer(_ octets: [UInt8]) throws(StoreError) -> SQLValue {
        switch octets.count {
        case 1: return .integer(Int(octets[0]))
        case 2: return .integer(Int(Int16(truncatingIfNeeded: Self.bits(octets))))
        case 4: return .integer(Int(Int32(truncatingIfNeeded: Self.bits(octets))))
        case 8: return .integer(Int(Int64(bitPattern: Self.bits(octets))))
        default: throw .malformed("a number has \(octets.count) octets")
        }
    }

    private static func bits(_ octets: [UInt8]) -> UInt64 {
        octets.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Arguments in the binary format.
struct PostgresArguments: Equatable {
    /// What each one is. The server guesses at a null.
    private(set) var types: [UInt32] = []
    /// All one after the other, and one more octet, so that even an empty one has an address.
    private(set) var octets: [UInt8] = []
    /// Where each one lies; nil: null.
    private(set) var ranges: [Range<Int>?] = []

    init(_ values: [SQLValue]) {
        for value in values {
            switch value {
            case .null: self.append(PostgresType.unknown, nil)
            case .text(let text): self.append(PostgresType.text, Array(text.utf8))
            case .blob(let bytes): self.append(PostgresType.blob, bytes)
            case .integer(let number):
                self.append(PostgresType.integer, withUnsafeBytes(of: Int64(number).bigEndian, Array.init))
            }
        }
        self.octets.append(0)
    }

    private mutating func append(_ type: UInt32, _ bytes: [UInt8]?) {
        self.types.append(type)
        guard let bytes else {
            self.ranges.append(nil)
            return
        }
        self.ranges.append(self.octets.count..<self.octets.count + bytes.count)
        self.octets += bytes
    }
}

/// The store's placeholders, in PostgreSQL's words.
enum PostgresPlaceholders {
    /// Each `?` outside of quotes as `$1`, `$2` …
    static func numbered(_ sql: String) -> String {
        var result: [UInt8] = []
        var count = 0
        var quote: UInt8?
        for byte in sql.utf8 {
            switch (byte, quote) {
            case (UInt8(ascii: "?"), nil):
                count += 1
                result += Array("$\(count)".utf8)
                continue
            case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil): quote = byte
            // Of two, which stand for one inside, the second opens again.
            case (let byte, let open?) where byte == open: quote = nil
            default: break
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// What the server's errors mean.
enum PostgresFailure {
    /// - Parameters:
    ///   - state: The SQLSTATE (PostgreSQL's appendix A); empty if the server said nothing.
    ///   - message: The first line of the error.
    static func error(state: String, message: String, isLost: Bool) -> StoreError {
        let isAway = isLost || Self.passing.contains(String(state.prefix(2))) || state == "55P03"
        // Those about data repeat it.
        let isSafe = !state.hasPrefix("22")
        let parts = [state, isSafe ? message : "a value was not accepted"].filter { !$0.isEmpty }
        return StoreError(kind: isAway ? .unavailable : .failed, reason: parts.joined(separator: " "))
    }

    /// Connection, transaction rolled back (of several that met), resources, operator and time-out.
    private static let passing: Set = ["08", "40", "53", "57"]
}
