import Foundation
import NIOCore

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`, what a dual-stack listener sees) is
/// the IPv4 address.
struct Address: Equatable, Sendable, CustomStringConvertible {
    /// 4 or 16 octets.
    let octets: [UInt8]

    /// The usual text (RFC 5952).
    var description: String {
        if self.octets.count == 4 { return "\(self.octets[0]).\(self.octets[1]).\(self.octets[2]).\(self.octets[3])" }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, self.octets, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    init?(_ text: String) {
        var four = [UInt8](repeating: 0, count: 4)
        var sixteen = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(octets: four)
        } else if inet_pton(AF_INET6, text, &sixteen) == 1 {
            self.init(octets: sixteen)
        } else {
            return nil
        }
    }

    /// The address in a socket's; nil for a unix socket.
    init?(_ socket: SocketAddress) {
        switch socket {
        case .v4(let inside): self.init(octets: withUnsafeBytes(of: inside.address.sin_addr) { Array($0) })
        case .v6(let inside): self.init(octets: withUnsafeBytes(of: inside.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: return nil
        }
    }

    /// - Parameter octets: 4, or 16.
    private init(octets: [UInt8]) {
        let isMapped =
            octets.count == 16 && octets.prefix(10).allSatisfy { $0 == 0 } && octets[10] == 0xFF && octets[11] == 0xFF
        self.octets = isMapped ? Array(octets.suffix(4)) : octets
    }
}

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3); an address without a length is a block of one.
struct AddressBlock: Equatable, Sendable, CustomStringConvertible {
    /// What was written.
    let description: String
    private let octets: [UInt8]
    private let length: Int

    /// Nil if it is not an address with an optional decimal length, or has bits set after its length: `10.0.0.1/8` is
    /// more likely a mistake than a way to say `10.0.0.0/8`.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = Address(String(first)) else { return nil }
        // A mapped IPv4 address shrank to four octets; a length written for sixteen would mean something else.
        guard first.contains(":") == (address.octets.count == 16) else { return nil }
        let bits = address.octets.count * 8
        var length = bits
        if parts.count == 2 {
            guard let last = parts.last, (1...3).contains(last.utf8.count),
                last.utf8.allSatisfy({ (0x30...0x39).contains($0) }), last == "0" || !last.hasPrefix("0"),
                let written = Int(last), written <= bits
            else { return nil }
            length = written
        }
        self.description = text
        self.octets = address.octets
        self.length = length
        for (index, octet) in address.octets.enumerated() where octet & ~self.mask(index) != 0 { return nil }
    }

    /// Whether the address lies in the block. An IPv4 address is in no IPv6 block and the other way round.
    func contains(_ address: Address) -> Bool {
        guard address.octets.count == self.octets.count else { return false }
        for (index, octet) in address.octets.enumerated() where octet & self.mask(index) != self.octets[index] {
            return false
        }
        return true
    }

    /// The bits of octet `index` that belong to the block's prefix.
    private func mask(_ index: Int) -> UInt8 {
        let bits = min(max(self.length - index * 8, 0), 8)
        return UInt8(truncatingIfNeeded: 0xFF00 >> bits)
    }

    /// This machine alone.
    static let loopback = ["127.0.0.0/8", "::1"].compactMap(AddressBlock.init)

    /// A list separated by commas, spaces around them ignored; empty text is the empty list. Nil if any part is wrong.
    static func list(_ text: String) -> [AddressBlock]? {
        if text.utf8.allSatisfy({ $0 == 0x20 }) { return [] }
        var blocks: [AddressBlock] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let block = AddressBlock(part.trimmingCharacters(in: .whitespaces)) else { return nil }
            blocks.append(block)
        }
        return blocks
    }
}
