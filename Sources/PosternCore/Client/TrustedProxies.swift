/// The proxies in front of this one that are believed when they say whom they speak for (`trusted_proxies`).
public struct TrustedProxies: Equatable, Sendable {
    /// One entry as written in proxy.yaml.
    enum Entry: Equatable, Sendable {
        case network(Network)
        /// Whoever connects to a unix socket.
        case socket

        /// Reads `10.0.0.0/8`, `fd00::/8` or `unix`.
        init?(_ text: String) {
            if text == "unix" {
                self = .socket
            } else if let network = Network(text) {
                self = .network(network)
            } else {
                return nil
            }
        }
    }

    /// As written, for people.
    public let texts: [String]
    private let networks: [Network]
    /// Whether whoever connects to a unix socket is trusted.
    public let trustsSockets: Bool

    /// - Returns: nil if an entry cannot be read.
    init?(_ texts: [String]) {
        var networks: [Network] = []
        var trustsSockets = false
        for text in texts {
            switch Entry(text) {
            case .network(let network)?: networks.append(network)
            case .socket?: trustsSockets = true
            case nil: return nil
            }
        }
        self.texts = texts
        self.networks = networks
        self.trustsSockets = trustsSockets
    }

    /// Whether some addresses are trusted.
    var trustsNetworks: Bool { !self.networks.isEmpty }

    /// Whether nobody is trusted.
    public var isEmpty: Bool { self.texts.isEmpty }

    func contains(_ address: NetworkAddress) -> Bool {
        for network in self.networks where network.contains(address) { return true }
        return false
    }

    /// Whether a connection's peer is believed.
    ///
    /// - Parameter address: as text; empty for a unix socket.
    public func trusts(peer address: [UInt8]) -> Bool {
        if address.isEmpty { return self.trustsSockets }
        guard let address = NetworkAddress(address.span.bytes) else { return false }
        return self.contains(address)
    }

    /// Where the client's address stands in the X-Forwarded-For of a trusted peer: the rightmost one that is not trusted.
    /// Each proxy appends the address of its own peer, so what stands to the left of that one is only said by a stranger.
    ///
    /// An entry that is no address (`unknown`, an obfuscated name, nothing) ends the search: what is left of it was told to
    /// somebody whom nobody knows. Allocates nothing.
    ///
    /// - Returns: the address without brackets and port. If all of them are trusted, the leftmost; if there is none, nil:
    ///   the client is the peer itself.
    func client(_ bytes: RawSpan, _ head: RequestHead) -> ByteRange? {
        var result: ByteRange?
        for field in head.fields.reversed() where ForwardedLines.isField(bytes, field, "x-forwarded-for") {
            let start = Int(field.value.start)
            var end = Int(field.value.end)
            while true {
                var i = end
                while i > start, bytes.byte(i &- 1) != UInt8(ascii: ",") { i &-= 1 }
                guard let entry = Self.entry(bytes, trimmed(bytes, i, end)) else { return result }
                result = entry.place
                if !self.contains(entry.address) { return result }
                if i == start { break }
                end = i &- 1
            }
        }
        return result
    }

    /// An entry of X-Forwarded-For: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
    private static func entry(_ bytes: RawSpan, _ range: ByteRange) -> (address: NetworkAddress, place: ByteRange)? {
        guard range.count >= 2, range.count <= 64 else { return nil }
        var start = Int(range.start)
        var end = Int(range.end)
        let isBracketed = bytes.byte(start) == UInt8(ascii: "[")
        var colons = 0
        var last = end
        for i in range.range {
            if isBracketed {
                if bytes.byte(i) == UInt8(ascii: "]") { last = i }
            } else if bytes.byte(i) == UInt8(ascii: ":") {
                colons &+= 1
                last = i
            }
        }
        if isBracketed {
            guard last < end, last &+ 1 == end || Self.isPort(bytes, last &+ 1, end) else { return nil }
            start &+= 1
            end = last
        } else if colons == 1 {
            guard Self.isPort(bytes, last, end) else { return nil }
            end = last
        }
        let place = ByteRange(start, end)
        guard let address = NetworkAddress(bytes.slice(place)) else { return nil }
        // Brackets are for IPv6 alone (RFC 3986 section 3.2.2).
        if isBracketed, !Self.hasColon(bytes, place) { return nil }
        return (address, place)
    }

    private static func hasColon(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        for i in range.range where bytes.byte(i) == UInt8(ascii: ":") { return true }
        return false
    }

    /// `:` and a port.
    private static func isPort(_ bytes: RawSpan, _ start: Int, _ end: Int) -> Bool {
        guard bytes.byte(start) == UInt8(ascii: ":") else { return false }
        return ForwardedLines.isPort(bytes.extracting((start &+ 1)..<end))
    }
}
