/// What is known of the connection that a request came on.
public struct ClientFacts: Sendable {
    /// The address of the peer, or of the one that a PROXY header names, as text; empty for a unix socket.
    public let address: [UInt8]
    /// The `X-Forwarded-For` and `X-Forwarded-Proto` lines and the name of `X-Forwarded-Host`, ready to write: they are the
    /// same for every request of the connection.
    public let forwardedLines: [UInt8]
    /// Whether what it says of others may be believed, if it is a trusted proxy. It is not where a PROXY header leaves open who
    /// the client is: then the address is the proxy's, and the words are somebody's.
    public let maySpeakForOthers: Bool
    /// Whether the connection is TLS.
    public let isSecure: Bool

    /// - Parameter scheme: `http` or `https`.
    public init(address: [UInt8], scheme: StaticString, maySpeakForOthers: Bool = true) {
        self.address = address
        self.maySpeakForOthers = maySpeakForOthers
        self.isSecure = scheme.utf8CodeUnitCount == "https".utf8.count
        var lines: [UInt8] = []
        if !address.isEmpty {
            lines.append("X-Forwarded-For: ")
            lines.append(contentsOf: address)
            lines.append("\r\n")
        }
        lines.append("X-Forwarded-Proto: ")
        lines.append(scheme)
        lines.append("\r\nX-Forwarded-Host: ")
        self.forwardedLines = lines
    }

    /// Where the line of the scheme, with its CRLF, stands in `forwardedLines`.
    var schemeLine: Range<Int> {
        let start = self.address.isEmpty ? 0 : "X-Forwarded-For: ".utf8.count + self.address.count + 2
        return start..<(self.forwardedLines.count - "X-Forwarded-Host: ".utf8.count)
    }
}

/// Composes the head that the upstream gets (3-behaviour, To the upstream): the client's lines in their order and
/// spelling, less what is removed, then what is inserted. Removal comes first, so nothing that a client names can take an
/// inserted line away.
public enum UpstreamHead {
    /// Appends the head to `output`.
    ///
    /// - Parameters:
    ///   - permit: the proof that the request may go on.
    ///   - token: whose identity is inserted; nil for anonymous callers.
    ///   - forwardToken: whether Authorization goes on.
    ///   - client: the connection's own forwarding lines.
    ///   - isTrusted: whether the client is a proxy whose own forwarding lines are believed (`trusted_proxies`).
    ///   - upgrade: the protocol that the upstream is asked for; nil: none, whatever the client asks for.
    ///   - identifiers: those assigned to this request.
    /// - Returns: whether the client had sent a header that speaks of identity.
    public static func compose(
        _ bytes: RawSpan, _ head: RequestHead, _ target: CheckedTarget, permit: borrowing Permit,
        token: VerifiedToken?, identity: IdentityRules, forwardToken: Bool, client: ClientFacts,
        isTrusted: Bool = false, upgrade: ProtocolSwitch? = nil, identifiers: inout Identifiers,
        into output: inout [UInt8]
    ) -> Bool {
        var start = Int(head.requestLine.start)
        if target.isAbsolute || head.minorVersion == 0 {
            Self.appendRequestLine(bytes, head, target, to: &output)
            start = Int(head.requestLine.end) &+ 2
        }
        // A preflight goes without a token, whatever the route says: its route never looked at it.
        let spoofed = Self.appendKept(
            bytes, head, from: start, identity: identity, forwardToken: permit.isPreflight ? false : forwardToken,
            identifiers: identifiers, to: &output)
        if let token { output.append(contentsOf: token.identity) }
        if isTrusted {
            ForwardedLines.append(bytes, head, client: client, to: &output)
        } else {
            output.append(contentsOf: client.forwardedLines)
            Self.appendHostLine(bytes, head.host, to: &output)
        }
        let endsHead = upgrade == nil && head.framing != .chunked
        identifiers.appendLines(to: &output, endsHead: endsHead)
        if endsHead { return spoofed }
        if let upgrade { upgrade.appendLines(to: &output) }
        if head.framing == .chunked { output.append("Transfer-Encoding: chunked\r\n") }
        output.append("\r\n")
        return spoofed
    }

    /// Appends the value of Host and a CRLF: the one that follows it, unless there is whitespace in between.
    @inline(__always)
    private static func appendHostLine(_ bytes: RawSpan, _ host: ByteRange, to output: inout [UInt8]) {
        let end = Int(host.end)
        // A line has no CR but the one that ends it.
        if bytes.byte(end) == UInt8(ascii: "\r") {
            return output.append(bytes.extracting(Int(host.start)..<(end &+ 2)))
        }
        output.append(bytes.slice(host))
        output.append("\r\n")
    }

    /// The request line, made anew.
    private static func appendRequestLine(
        _ bytes: RawSpan, _ head: RequestHead, _ target: CheckedTarget, to output: inout [UInt8]
    ) {
        output.append(bytes.slice(head.methodToken))
        output.append(UInt8(ascii: " "))
        // RFC 9112 section 3.2.1: an origin server is asked in origin-form.
        if target.path.isEmpty { output.append(UInt8(ascii: "/")) } else { output.append(bytes.slice(target.path)) }
        if target.hasQuery {
            output.append(UInt8(ascii: "?"))
            output.append(bytes.slice(target.query))
        }
        output.append(" HTTP/1.1\r\n")
    }

    /// Copies the lines that stay, in runs as long as possible.
    ///
    /// - Parameter start: where the first line that stays begins: the request line, if that does.
    private static func appendKept(
        _ bytes: RawSpan, _ head: RequestHead, from start: Int, identity: IdentityRules, forwardToken: Bool,
        identifiers: Identifiers, to output: inout [UInt8]
    ) -> Bool {
        var spoofed = false
        var runStart = start
        for field in head.fields {
            var removed = false
            if field.kind == .other {
                if identity.strips(bytes, field.name) {
                    removed = true
                    spoofed = true
                }
            } else {
                removed = Self.isRemoved(field.kind, forwardToken: forwardToken, identifiers: identifiers)
                if !removed, field.kind != .host, field.kind != .contentLength, identity.strips(bytes, field.name) {
                    removed = true
                    spoofed = true
                }
            }
            if !removed, !head.nominated.isEmpty { removed = isNominated(bytes, head.nominated, field) }
            guard removed else { continue }
            let start = Int(field.name.start)
            if start > runStart { output.append(bytes.extracting(runStart..<start)) }
            runStart = Int(field.end)
        }
        let end = head.end &- 2
        if end > runStart { output.append(bytes.extracting(runStart..<end)) }
        return spoofed
    }

    @inline(__always)
    private static func isRemoved(_ kind: FieldName, forwardToken: Bool, identifiers: Identifiers) -> Bool {
        switch kind {
        case .authorization: !forwardToken
        case .forwarded: true
        // The proxy has answered it, or is about to.
        case .expect: true
        case .xRequestID: !identifiers.keptRequestID
        case .traceparent: !identifiers.keptTrace
        case .tracestate: !identifiers.keepsState
        default: kind.isHopByHop
        }
    }
}
