/// Whether a certificate is for the name that a service is known by (RFC 6125 section 6.4).
public enum CertificateName {
    /// Whether one of a certificate's DNS names stands for `name`: the name itself, whatever the case of its letters, or
    /// one with `*` for the whole first label and the same labels after it.
    ///
    /// - Parameters:
    ///   - name: a host name without a dot at its end.
    ///   - pattern: a dNSName of the certificate, as it is there.
    public static func matches(_ name: String, pattern: some Collection<UInt8>) -> Bool {
        let name = Array(name.utf8.map(Self.folded))
        var pattern = Array(pattern.map(Self.folded))
        if pattern.last == UInt8(ascii: ".") { pattern.removeLast() }
        guard pattern.starts(with: [UInt8(ascii: "*"), UInt8(ascii: ".")]) else { return pattern == name }
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return false }
        // "*.com" stands for every name there is below com: no authority for a service should say that.
        let rest = pattern[1...]
        return rest.dropFirst().contains(UInt8(ascii: ".")) && rest == name[dot...]
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
}
