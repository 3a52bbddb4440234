/// What others on the way keep in a trace (W3C Trace Context section 3.3, `tracestate`). Postern adds nothing to it.
public enum TraceState {
    /// Members that a list may have (section 3.3.1.1).
    static let memberLimit = 32

    /// The list as one line, from all its fields in their order (RFC 9110 section 5.3); nil if it is malformed: then it is not
    /// passed on (section 3.3.1.4). Empty if there is none.
    public static func joined(_ bytes: RawSpan, _ values: [ByteRange]) -> [UInt8]? {
        var text: [UInt8] = []
        for value in values where !value.isEmpty {
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text.append(bytes.slice(value))
        }
        return Self.isValid(text) ? text : nil
    }

    /// Whether a list is well-formed: at most 32 members, no key twice. Empty members are allowed.
    static func isValid(_ text: [UInt8]) -> Bool {
        var keys: Set<ArraySlice<UInt8>> = []
        for item in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
            let member = Self.trimmed(item)
            if member.isEmpty { continue }
            guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return false }
            let key = member[..<equals]
            guard Self.isKey(key), Self.isValue(member[(equals + 1)...]), keys.insert(key).inserted,
                keys.count <= Self.memberLimit
            else { return false }
        }
        return true
    }

    /// Without the white space around a member (`OWS`). A value keeps the spaces that it begins with.
    private static func trimmed(_ item: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var item = item
        while let first = item.first, first == 0x20 || first == 0x09 { item = item.dropFirst() }
        while let last = item.last, last == 0x20 || last == 0x09 { item = item.dropLast() }
        return item
    }

    /// Section 3.3.1.3.1: a simple key begins with a letter; one of a tenant has an `@`.
    private static func isKey(_ key: ArraySlice<UInt8>) -> Bool {
        guard let first = key.first else { return false }
        if let at = key.firstIndex(of: UInt8(ascii: "@")) {
            let (tenant, system) = (key[..<at], key[(at + 1)...])
            guard let letter = system.first, Self.isLetter(letter), system.count <= 14,
                system.allSatisfy(Self.isKeyByte)
            else { return false }
            return (1...241).contains(tenant.count) && (Self.isLetter(first) || isDigit(first))
                && tenant.allSatisfy(Self.isKeyByte)
        }
        return Self.isLetter(first) && key.count <= 256 && key.allSatisfy(Self.isKeyByte)
    }

    /// Section 3.3.1.3.2: 1 to 256 printable characters without `,` and `=`, the last one not a space.
    private static func isValue(_ value: ArraySlice<UInt8>) -> Bool {
        (1...256).contains(value.count) && value.last != 0x20
            && value.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        Self.isLetter(byte) || isDigit(byte) || [0x5F, 0x2D, 0x2A, 0x2F].contains(byte)
    }
}
