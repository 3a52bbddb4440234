/// Writes a message of Protocol Buffers (its binary encoding), as far as OTLP needs it. Fields with the default value are left
/// out, as proto3 has it.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func string(_ field: UInt64, _ text: String) {
        guard !text.isEmpty else { return }
        var text = text
        text.withUTF8 { utf8 in
            self.length(field, utf8.count)
            unsafe self.bytes.append(contentsOf: utf8)
        }
    }

    mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
        guard !value.isEmpty else { return }
        self.length(field, value.count)
        self.bytes.append(contentsOf: value)
    }

    /// A message inside this one; it is written even where it is empty.
    mutating func message(_ field: UInt64, _ write: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        write(&inner)
        self.length(field, inner.bytes.count)
        self.bytes.append(contentsOf: inner.bytes)
    }

    /// A message inside this one that was written before.
    mutating func message(_ field: UInt64, written: [UInt8]) {
        self.length(field, written.count)
        self.bytes.append(contentsOf: written)
    }

    mutating func unsigned(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        self.anyway(field, value)
    }

    /// A number in a `oneof`, whose 0 says something.
    mutating func anyway(_ field: UInt64, _ value: UInt64) {
        self.varint(field << 3)
        self.varint(value)
    }

    mutating func fixed64(_ field: UInt64, _ value: UInt64) {
        self.varint(field << 3 | 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            self.bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func fixed32(_ field: UInt64, _ value: UInt32) {
        self.varint(field << 3 | 5)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            self.bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    private mutating func length(_ field: UInt64, _ count: Int) {
        self.varint(field << 3 | 2)
        self.varint(UInt64(count))
    }

    private mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        self.bytes.append(UInt8(truncatingIfNeeded: value))
    }
}

/// Reads the fields of a message that somebody else has written. Untrusted bytes: what is malformed ends the reading.
struct ProtobufReader {
    enum Value: Equatable {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.rest = bytes
    }

    /// The next field; nil at the end, and where the message breaks off or makes no sense.
    mutating func next() -> (field: UInt64, value: Value)? {
        guard let tag = self.varint() else { return nil }
        switch tag & 7 {
        case 0:
            guard let number = self.varint() else { return nil }
            return (tag >> 3, .number(number))
        case 1: return self.fixed(8).map { (tag >> 3, $0) }
        case 2:
            guard let length = self.varint(), length <= UInt64(self.rest.count) else { return nil }
            let bytes = self.rest.prefix(Int(length))
            self.rest = self.rest.dropFirst(Int(length))
            return (tag >> 3, .bytes(bytes))
        case 5: return self.fixed(4).map { (tag >> 3, $0) }
        default: return nil
        }
    }

    private mutating func fixed(_ count: Int) -> Value? {
        guard self.rest.count >= count else { return nil }
        var value: UInt64 = 0
        for byte in self.rest.prefix(count).reversed() { value = value << 8 | UInt64(byte) }
        self.rest = self.rest.dropFirst(count)
        return .number(value)
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = self.rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
