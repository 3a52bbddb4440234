/// The forwarding lines of a request that a trusted proxy sent: what it says of the client goes on, with its own address
/// added.
///
/// Of the `X-Forwarded-*` fields those that say where a request came from and what it asked for go on: `-For`, `-Proto`,
/// `-Host`, `-Port` and `-Prefix`. Others, which may speak of identity (`X-Forwarded-User`), are left out as always, as are
/// all spellings with `_`. `Forwarded` (RFC 7239) is left out, too: two accounts of one thing can contradict each other, and
/// the service has this one.
///
/// A field that may have one value is believed if there is one, well-formed: a proxy that does not set it lets through what
/// its client says, and two lines are one of each.
enum ForwardedLines {
    /// Appends the lines.
    ///
    /// - Parameters:
    ///   - client: what is true of this connection, for what the proxy does not say.
    static func append(_ bytes: RawSpan, _ head: RequestHead, client: ClientFacts, to output: inout [UInt8]) {
        Self.appendAddresses(bytes, head, client: client, to: &output)
        if let scheme = Self.single(bytes, head, "x-forwarded-proto", where: Self.isScheme) {
            Self.append("X-Forwarded-Proto: ", bytes.slice(scheme), to: &output)
        } else {
            output.append(client.forwardedLines.span.bytes.extracting(client.schemeLine))
        }
        let host = Self.single(bytes, head, "x-forwarded-host", where: isHostAndPort) ?? head.host
        Self.append("X-Forwarded-Host: ", bytes.slice(host), to: &output)
        if let port = Self.single(bytes, head, "x-forwarded-port", where: Self.isPort) {
            Self.append("X-Forwarded-Port: ", bytes.slice(port), to: &output)
        }
        if let prefix = Self.single(bytes, head, "x-forwarded-prefix", where: Self.isPath) {
            Self.append("X-Forwarded-Prefix: ", bytes.slice(prefix), to: &output)
        }
    }

    /// Whether a field has this name, which is lower-case and one of `X-Forwarded-*`, spelled with `-`.
    static func isField(_ bytes: RawSpan, _ field: HeaderField, _ name: StaticString) -> Bool {
        field.kind == .forwarded && bytes.slice(field.name).equalsIgnoringCase(name)
    }

    /// One line with all that the client sent, in order, and the peer's address. Without either there is no line.
    private static func appendAddresses(
        _ bytes: RawSpan, _ head: RequestHead, client: ClientFacts, to output: inout [UInt8]
    ) {
        var isFirst = true
        for field in head.fields where !field.value.isEmpty && Self.isField(bytes, field, "x-forwarded-for") {
            output.append(isFirst ? "X-Forwarded-For: " : ", ")
            output.append(bytes.slice(field.value))
            isFirst = false
        }
        if !client.address.isEmpty {
            output.append(isFirst ? "X-Forwarded-For: " : ", ")
            output.append(contentsOf: client.address)
            isFirst = false
        }
        if !isFirst { output.append("\r\n") }
    }

    private static func append(_ name: StaticString, _ value: RawSpan, to output: inout [UInt8]) {
        output.append(name)
        output.append(value)
        output.append("\r\n")
    }

    /// The value of the only field with this name, if it is well-formed.
    private static func single(
        _ bytes: RawSpan, _ head: RequestHead, _ name: StaticString, where isWellFormed: (RawSpan) -> Bool
    ) -> ByteRange? {
        var found: ByteRange?
        for field in head.fields where Self.isField(bytes, field, name) {
            guard found == nil else { return nil }
            found = field.value
        }
        guard let found, isWellFormed(bytes.slice(found)) else { return nil }
        return found
    }

    /// A scheme that HTTP is spoken under.
    private static func isScheme(_ text: RawSpan) -> Bool {
        text.equalsIgnoringCase("https") || text.equalsIgnoringCase("http") || text.equalsIgnoringCase("wss")
            || text.equalsIgnoringCase("ws")
    }

    /// A decimal number from 1 to 65535.
    static func isPort(_ text: RawSpan) -> Bool {
        guard let port = decimal(text, ByteRange(0, text.byteCount)) else { return false }
        return (1...65_535).contains(port)
    }

    /// An absolute path of what RFC 3986 section 3.3 lets a segment have, and no `//` in front, which would be a host.
    private static func isPath(_ text: RawSpan) -> Bool {
        guard text.byteCount > 0, text.byteCount <= 1024, text.byte(0) == UInt8(ascii: "/") else { return false }
        if text.byteCount > 1, text.byte(1) == UInt8(ascii: "/") { return false }
        for i in 0..<text.byteCount {
            let byte = text.byte(i)
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"),
                UInt8(ascii: "%"), UInt8(ascii: "@"), UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: "="):
                continue
            default:
                guard byte.isASCIIAlphanumeric else { return false }
            }
        }
        return true
    }
}
