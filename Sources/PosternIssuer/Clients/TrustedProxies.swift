/// The proxies in front of the issuer that are believed when they say for whom they call (`X-Forwarded-For`).
struct TrustedProxies: Equatable, Sendable {
    var blocks: [AddressBlock] = []

    /// Where a request came from; nil: that is not known, so that no list of allowed addresses lets it in.
    ///
    /// Each proxy appends the address that it was called from. So the list is read from its end: what stands left of the
    /// first address that is not a trusted proxy's, anybody may have written. Where all are trusted ones, it is the first.
    ///
    /// - Parameters:
    ///   - peer: The other end of the connection. Nothing is read if it is not trusted.
    ///   - forwardedFor: The values of the header fields, in their order.
    func address(peer: Address?, forwardedFor: [String]) -> Address? {
        guard let peer, !self.blocks.isEmpty, self.trusts(peer) else { return peer }
        var found = peer
        for part in forwardedFor.joined(separator: ",").split(separator: ",").reversed() {
            guard let address = Self.address(part) else { return nil }
            found = address
            if !self.trusts(address) { break }
        }
        return found
    }

    private func trusts(_ address: Address) -> Bool {
        self.blocks.contains { $0.contains(address) }
    }

    /// An address, with the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
    private static func address(_ part: Substring) -> Address? {
        var text = part.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]"), Self.isPort(text[text.index(after: end)...]) else { return nil }
            let inside = text[text.index(after: text.startIndex)..<end]
            return inside.contains(":") ? Address(String(inside)) : nil
        }
        if let colon = text.firstIndex(of: ":"), !text[text.index(after: colon)...].contains(":") {
            guard Self.isPort(text[colon...]) else { return nil }
            text = text[..<colon]
        }
        return Address(String(text))
    }

    /// Nothing, or a colon and digits.
    private static func isPort(_ text: Substring) -> Bool {
        if text.isEmpty { return true }
        let digits = text.dropFirst()
        return text.first == ":" && (1...5).contains(digits.utf8.count)
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
