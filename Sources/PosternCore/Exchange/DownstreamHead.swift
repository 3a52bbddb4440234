/// Composes the response head that the client gets: the upstream's lines in their order and spelling, less the
/// hop-by-hop ones, with the framing of this side.
public enum DownstreamHead {
    /// How the body goes to the client.
    public enum Framing: Equatable, Sendable {
        /// As it comes: its length is in the head, or there is none.
        case plain
        /// In chunks.
        case chunked
        /// Until the connection closes (HTTP/1.0 clients).
        case untilClose
    }

    /// What the client's side is told.
    public struct Client: Equatable, Sendable {
        /// The x of the request's HTTP/1.x.
        public var minorVersion: UInt8
        /// Whether the connection closes after this response.
        public var close: Bool

        public init(minorVersion: UInt8, close: Bool) {
            self.minorVersion = minorVersion
            self.close = close
        }
    }

    /// Which framing the client's side has for a response.
    public static func framing(of head: ResponseHead, minorVersion: UInt8) -> Framing {
        Self.framing(of: head.framing, minorVersion: minorVersion)
    }

    /// Which framing the client's side has for a response whose body is framed like this.
    public static func framing(of body: BodyFraming, minorVersion: UInt8) -> Framing {
        switch body {
        case .none, .length: .plain
        case .chunked, .untilClose: minorVersion == 0 ? .untilClose : .chunked
        }
    }

    /// Appends the head to `output`.
    public static func compose(
        _ bytes: RawSpan, _ head: ResponseHead, client: Client, framing: Framing, into output: inout [UInt8]
    ) {
        var runStart = Self.begin(bytes, head, &output)
        for field in head.fields where Self.isRemoved(bytes, head, field) {
            let start = Int(field.name.start)
            if start > runStart { output.append(bytes.extracting(runStart..<start)) }
            runStart = Int(field.end)
        }
        // Where this side adds no line of its own, the head ends as it came.
        if framing != .chunked, !client.close, client.minorVersion != 0 {
            return output.append(bytes.extracting(runStart..<head.end))
        }
        let end = head.end &- 2
        if end > runStart { output.append(bytes.extracting(runStart..<end)) }
        Self.finish(client, framing, &output)
    }

    /// Where the lines that stay begin: at the start line, unless it is made anew.
    @inline(__always)
    static func begin(_ bytes: RawSpan, _ head: ResponseHead, _ output: inout [UInt8]) -> Int {
        // The reason may be empty, but the space before it may not be missing (RFC 9112 section 4).
        guard head.minorVersion == 0 || head.statusAndReason.count == 4 else {
            return Int(head.statusAndReason.start) &- 8
        }
        output.append("HTTP/1.1")
        output.append(bytes.slice(head.statusAndReason))
        output.append(head.statusAndReason.count == 4 ? " \r\n" : "\r\n")
        return Int(head.statusAndReason.end) &+ 2
    }

    /// Appends the lines of this side, and the empty one.
    @inline(__always)
    static func finish(_ client: Client, _ framing: Framing, _ output: inout [UInt8]) {
        if framing == .chunked { output.append("Transfer-Encoding: chunked\r\n") }
        if client.close {
            output.append("Connection: close\r\n")
        } else if client.minorVersion == 0 {
            output.append("Connection: keep-alive\r\n")
        }
        output.append("\r\n")
    }

    @inline(__always)
    static func isRemoved(_ bytes: RawSpan, _ head: ResponseHead, _ field: HeaderField) -> Bool {
        if field.kind.isHopByHop { return true }
        // RFC 9110 section 8.6: no Content-Length in 1xx and 204.
        if field.kind == .contentLength, head.isInterim || head.status == 204 { return true }
        return !head.nominated.isEmpty && isNominated(bytes, head.nominated, field)
    }
}
