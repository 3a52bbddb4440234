import PosternCore
import PosternCrypto

/// A password as it is stored: scrypt (RFC 7914) in the PHC string format, `$scrypt$ln=15,r=8,p=1$SALT$HASH`, salt and
/// hash in base64 without padding.
struct PasswordHash: Equatable, Sendable, CustomStringConvertible {
    /// Octets of a new salt and of every hash.
    static let saltLength = 16
    static let length = 32

    let cost: Scrypt.Cost
    let salt: [UInt8]
    let octets: [UInt8]

    init(cost: Scrypt.Cost, salt: [UInt8], octets: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.octets = octets
    }

    /// Hashes a password under a new salt. Takes as long as the cost says: never on an event loop.
    init(of password: String, cost: Scrypt.Cost) throws(CryptoError) {
        let salt = Random.bytes(Self.saltLength)
        self.init(
            cost: cost, salt: salt,
            octets: try Scrypt.hash(password: Array(password.utf8), salt: salt, cost: cost, count: Self.length))
    }

    /// Reads what `description` writes and nothing else. Nil as well for a cost that nobody would wait for: more than
    /// 128 MiB, or what RFC 7914 section 2 rules out.
    init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]),
            let salt = Self.decode(parts[3]), (8...64).contains(salt.count),
            let octets = Self.decode(parts[4]), octets.count == Self.length
        else { return nil }
        self.init(cost: cost, salt: salt, octets: octets)
    }

    var description: String {
        let parameters = "ln=\(self.cost.n.trailingZeroBitCount),r=\(self.cost.r),p=\(self.cost.p)"
        return "$scrypt$\(parameters)$\(Self.encode(self.salt))$\(Self.encode(self.octets))"
    }

    /// Whether it is the hash of this password. Takes as long as the cost says, whatever the password.
    func matches(_ password: String) throws(CryptoError) -> Bool {
        let hash = try Scrypt.hash(
            password: Array(password.utf8), salt: self.salt, cost: self.cost, count: self.octets.count)
        return constantTimeEquals(hash, self.octets)
    }

    private static func cost(_ text: Substring) -> Scrypt.Cost? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, let log = Self.number(parts[0], "ln=", 1...20),
            let blocks = Self.number(parts[1], "r=", 1...64), let lanes = Self.number(parts[2], "p=", 1...16),
            log < 16 * blocks, 128 * blocks << log <= 128 << 20
        else { return nil }
        return Scrypt.Cost(n: 1 << log, r: blocks, p: lanes)
    }

    private static func number(_ text: Substring, _ name: String, _ range: ClosedRange<UInt64>) -> UInt64? {
        let digits = text.dropFirst(name.count)
        guard text.hasPrefix(name), (1...2).contains(digits.utf8.count), digits.first != "0",
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(digits)
        else { return nil }
        return range.contains(number) ? number : nil
    }

    // Plain base64 is base64url with two other characters.
    private static func encode(_ bytes: [UInt8]) -> String {
        Base64URL.encode(bytes).replacing("-", with: "+").replacing("_", with: "/")
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        guard !text.contains("-"), !text.contains("_") else { return nil }
        let characters = Array(text.replacing("+", with: "-").replacing("/", with: "_").utf8)
        return Base64URL.decode(characters.span.bytes)
    }
}
