extension UInt8 {
    /// Whether the byte is a `tchar` of RFC 9110 section 5.6.2: what methods, schemes and header names are made of.
    var isTokenCharacter: Bool {
        if self.asciiLowercased &- 0x61 < 26 || self &- 0x30 < 10 { return true }
        switch self {
        case UInt8(ascii: "!"), 0x23...0x27, UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."), 0x5E...0x60, UInt8(ascii: "|"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }
}
