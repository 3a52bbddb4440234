/// A host and a port to listen on, written `HOST:PORT`; IPv6 as `[::1]:8000`.
public struct ListenAddress: Equatable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Nil if `text` is not of that form, or the port is not from 0 to 65535.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(digits), port <= 65535
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), Address(String(host)) != nil else { return nil }
        } else if host.isEmpty || host.contains(where: { ":[]/ ".contains($0) }) {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    public var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }

    /// Whether only this machine can reach it.
    public var isLoopback: Bool {
        if self.host == "localhost" { return true }
        guard let address = Address(self.host) else { return false }
        return AddressBlock.loopback.contains { $0.contains(address) }
    }
}
