/// The slot of a key in a Redis Cluster: CRC-16 (XMODEM: polynomial 0x1021, from 0) modulo 16,384.
enum HashSlot {
    static let count = 16_384

    /// The slot of a key. If it has a `{` and a later `}` with something between them, only what is between the first
    /// `{` and the first `}` after it counts, so that keys can be kept together.
    static func of(_ key: [UInt8]) -> Int {
        if let open = key.firstIndex(of: UInt8(ascii: "{")) {
            let rest = key[(open + 1)...]
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), close > rest.startIndex {
                return Int(Self.crc(key[rest.startIndex..<close])) % Self.count
            }
        }
        return Int(Self.crc(key[...])) % Self.count
    }

    static func crc(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes { crc = crc << 8 ^ Self.table[Int(crc >> 8 ^ UInt16(byte))] }
        return crc
    }

    private static let table: [UInt16] = (0..<256).map { index in
        (0..<8).reduce(UInt16(index) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
}
