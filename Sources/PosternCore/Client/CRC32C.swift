/// The checksum CRC-32C (RFC 3720 appendix B.4; Castagnoli's polynomial, reflected), as the PROXY protocol has it. Bit by bit:
/// it is for some dozens of bytes a connection.
struct CRC32C {
    private var state = UInt32.max

    /// The checksum of what was added so far.
    var value: UInt32 { ~self.state }

    mutating func add(_ byte: UInt8) {
        self.state ^= UInt32(byte)
        for _ in 0..<8 { self.state = self.state &>> 1 ^ (self.state & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
}
