/// A change of protocol that a client asked for and that may go on to the upstream (RFC 9110 section 7.8).
public struct ProtocolSwitch: Equatable, Sendable {
    /// What is spoken in the tunnel, as far as it matters here: the `protocol` label of metrics.
    public enum Kind: String, Sendable, CaseIterable {
        /// RFC 6455: has frames, so that a close can be said in them.
        case webSocket = "websocket"
        case other
    }

    public let kind: Kind
    /// What the upstream is asked for: one item of the client's Upgrade, as it was spelled; `websocket` for WebSocket.
    public let name: [UInt8]

    public init(kind: Kind, name: [UInt8]) {
        self.kind = kind
        self.name = name
    }

    public static let webSocket = ProtocolSwitch(kind: .webSocket, name: Array("websocket".utf8))

    /// What becomes of a request that asks for another protocol.
    public enum Decision: Equatable, Sendable {
        /// None of what it asks for is allowed here: it goes on without its Upgrade.
        case ordinary
        case allowed(ProtocolSwitch)
        case refused(Refusal)
    }

    /// Decides about a head whose Connection names Upgrade. The first protocol of the client's order that is allowed is the
    /// only one that the upstream is asked for.
    ///
    /// - Parameter others: lower-case names that the route allows besides websocket.
    public static func decide(_ bytes: RawSpan, _ head: RequestHead, others: [[UInt8]]) -> Decision {
        guard head.upgrade else { return .ordinary }
        var found: ProtocolSwitch?
        for field in head.fields where field.kind == .upgrade {
            forEachListRange(bytes, field.value) { range in
                if found == nil { found = Self.allowed(bytes.slice(range), others: others) }
            }
        }
        guard let found else { return .ordinary }
        guard found.kind == .webSocket, let problem = Self.handshakeProblem(bytes, head) else { return .allowed(found) }
        return .refused(Refusal(.badRequest, "The WebSocket handshake is not well-formed: \(problem)."))
    }

    /// `protocol-name ["/" protocol-version]`: names are compared, versions are the service's business.
    private static func allowed(_ item: RawSpan, others: [[UInt8]]) -> ProtocolSwitch? {
        if item.equalsIgnoringCase("websocket") { return .webSocket }
        var end = 0
        while end < item.byteCount, item.byte(end) != UInt8(ascii: "/") { end &+= 1 }
        // A client may name thousands: nothing is allocated before one fits.
        let name = others.first { Self.isSame(item.extracting(0..<end), $0) }
        guard let name, !Self.isNever(name), Self.isProtocol(item, nameEnd: end) else { return nil }
        return ProtocolSwitch(kind: .other, name: item.array())
    }

    /// Names that no route can allow: requests inside such a tunnel would go past the policy; and WebSocket with a version,
    /// which is not WebSocket's handshake.
    public static func isNever(_ name: [UInt8]) -> Bool {
        ["h2c", "h2", "http", "websocket"].contains { Array($0.utf8) == name }
    }

    private static func isProtocol(_ item: RawSpan, nameEnd: Int) -> Bool {
        guard nameEnd > 0, endOfToken(item, from: 0, to: nameEnd) == nameEnd else { return false }
        guard nameEnd < item.byteCount else { return true }
        let start = nameEnd &+ 1
        return start < item.byteCount && endOfToken(item, from: start, to: item.byteCount) == item.byteCount
    }

    // MARK: - WebSocket (RFC 6455 section 4.2.1)

    /// What is wrong with a WebSocket handshake; nil if nothing is. Which versions are spoken is for the service to say
    /// (section 4.4).
    private static func handshakeProblem(_ bytes: RawSpan, _ head: RequestHead) -> String? {
        guard head.method == .get else { return "the method must be GET" }
        guard head.framing == .none else { return "it has a body" }
        var keys: [ByteRange] = []
        var versions: [ByteRange] = []
        for field in head.fields where field.kind == .other {
            let name = bytes.slice(field.name)
            if name.equalsIgnoringCase("sec-websocket-key") { keys.append(field.value) }
            if name.equalsIgnoringCase("sec-websocket-version") { versions.append(field.value) }
        }
        guard keys.count == 1, Self.isKey(bytes.slice(keys[0])) else {
            return "Sec-WebSocket-Key must be there once, 16 bytes in base64"
        }
        guard versions.count == 1, let version = decimal(bytes, versions[0]), version <= 255 else {
            return "Sec-WebSocket-Version must be there once, a number up to 255"
        }
        return nil
    }

    /// Sixteen bytes in base64: 22 characters, of which the last has four bits that are zero, and `==`.
    private static func isKey(_ text: RawSpan) -> Bool {
        guard text.byteCount == 24, text.extracting(22..<24).equals("==") else { return false }
        for i in 0..<22 {
            let byte = text.byte(i)
            let isLetter = (byte | 0x20) &- UInt8(ascii: "a") < 26
            guard isLetter || isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/") else {
                return false
            }
        }
        return [UInt8(ascii: "A"), UInt8(ascii: "Q"), UInt8(ascii: "g"), UInt8(ascii: "w")].contains(text.byte(21))
    }

    // MARK: - Answer

    /// Whether a head with status 101 accepts exactly what was asked for (RFC 9110 sections 7.8 and 8.6: Connection names
    /// Upgrade, one protocol, no framing fields).
    func isAccepted(_ bytes: RawSpan, by head: ResponseHead) -> Bool {
        guard head.status == 101, head.minorVersion == 1, head.contentLength == nil, head.transferEncodingCount == 0
        else { return false }
        var connectionNamesIt = false
        var accepted = 0
        var others = 0
        for field in head.fields {
            if field.kind == .connection {
                forEachListItem(bytes, field.value) {
                    if $0.equalsIgnoringCase("upgrade") { connectionNamesIt = true }
                }
            } else if field.kind == .upgrade {
                forEachListItem(bytes, field.value) {
                    if Self.isSame($0, self.name) { accepted += 1 } else { others += 1 }
                }
            }
        }
        return connectionNamesIt && accepted == 1 && others == 0
    }

    private static func isSame(_ item: RawSpan, _ name: [UInt8]) -> Bool {
        guard item.byteCount == name.count else { return false }
        for i in name.indices where item.byte(i).asciiLowercased != name[i].asciiLowercased { return false }
        return true
    }

    /// Appends the two lines that ask for the protocol, or accept it.
    func appendLines(to output: inout [UInt8]) {
        output.append("Connection: Upgrade\r\nUpgrade: ")
        output.append(contentsOf: self.name)
        output.append("\r\n")
    }
}
