/// Which headers of a client are taken away because they speak of identity, and which the service gets instead.
public struct IdentityRules: Sendable {
    /// The headers to insert, in order.
    public let headers: [IdentityHeader]
    /// The most bytes all inserted lines may have together (`limits.identity`).
    public let limit: Int

    /// Folded names to strip that the prefixes `x-user-` and `x-auth-` do not cover, one after the other.
    private let names: [UInt8]
    private let ranges: [ByteRange]
    /// One bit for each folded first byte, modulo 64, that some name to strip begins with.
    private let firstBytes: UInt64

    /// The default names are stripped even where `headers` are others.
    public init(headers: [IdentityHeader] = IdentityHeader.defaults, limit: Int = 8192) {
        self.headers = headers
        self.limit = limit
        var seen: Set<[UInt8]> = []
        var names: [UInt8] = []
        var ranges: [ByteRange] = []
        var firstBytes: UInt64 = 1 << UInt64(UInt8(ascii: "x") & 63)
        for header in IdentityHeader.defaults + headers {
            let folded = header.name.utf8.map { $0.foldedNameByte }
            guard let first = folded.first, !Self.hasPrefix(folded.span.bytes, ByteRange(0, folded.count)),
                seen.insert(folded).inserted
            else { continue }
            firstBytes |= 1 << UInt64(first & 63)
            ranges.append(ByteRange(names.count, names.count + folded.count))
            names += folded
        }
        self.names = names
        self.ranges = ranges
        self.firstBytes = firstBytes
    }

    /// Whether a header of a client must not reach the service: every configured and every default name, `X-User-*` and
    /// `X-Auth-*`, with `_` read as `-` and case ignored. Allocates nothing; most names are done after one byte.
    public func strips(_ bytes: RawSpan, _ name: ByteRange) -> Bool {
        guard !name.isEmpty else { return false }
        let first = bytes.byte(Int(name.start)).foldedNameByte
        guard self.firstBytes &>> UInt64(first & 63) & 1 != 0 else { return false }
        if Self.hasPrefix(bytes, name) { return true }
        for range in self.ranges where range.count == name.count {
            if bytes.slice(name).equalsFolded(self.names.span.bytes.slice(range)) { return true }
        }
        return false
    }

    /// Whether the name begins with `x-user-` or `x-auth-` when folded.
    @inline(__always)
    private static func hasPrefix(_ bytes: RawSpan, _ name: ByteRange) -> Bool {
        guard name.count >= 7 else { return false }
        let start = Int(name.start)
        return bytes.beginsFolded("x-user-", at: start) || bytes.beginsFolded("x-auth-", at: start)
    }
}
