/// Writes what a service answers on a stream of HTTP/2 as the HTTP/1.1 bytes of one response, for the same strict reader
/// that HTTP/1.1 services have. What HTTP/2 asks for beyond that (RFC 9113 section 8) is decided here, and nothing of a
/// list of fields that is not in order is ever written.
public struct UpstreamResponse: Sendable {
    /// How content stands in the HTTP/1.1 bytes.
    public enum Framing: Equatable, Sendable {
        /// As it comes.
        case plain
        /// Each piece is a chunk.
        case chunk
    }

    private enum State: Equatable, Sendable {
        /// No final head yet.
        case head
        /// Content may come; `left` bytes of it, if the head said how many.
        case content(Framing, left: Int64?)
        /// The service has accepted a WebSocket: bytes pass as they are.
        case tunnel
        case done
    }

    private var state = State.head
    private let toHead: Bool
    /// The `Sec-WebSocket-Accept` of a client that waits for a WebSocket (RFC 8441); nil: none does.
    private let accept: [UInt8]?
    /// The lines of the list of fields that is being read.
    private var lines: [UInt8] = []
    private var status = 0
    private var sawField = false
    private var contentLength: Int64?
    private var announcesTrailers = false

    /// Bytes that a list of fields may have as lines.
    private static let limit = 64 * 1024

    /// - Parameters:
    ///   - toHead: whether the request's method was HEAD.
    ///   - accept: the `Sec-WebSocket-Accept` of the answer to a request for a WebSocket.
    public init(toHead: Bool, accept: [UInt8]? = nil) {
        self.toHead = toHead
        self.accept = accept
    }

    /// Whether all of the response has come.
    public var isComplete: Bool { self.state == .done }

    /// Whether the service has accepted a WebSocket.
    public var isTunnel: Bool { self.state == .tunnel }

    // MARK: - Fields

    /// A list of fields begins.
    public mutating func beginFields() throws(UpstreamResponseProblem) {
        self.lines.removeAll(keepingCapacity: true)
        self.lines.reserveCapacity(512)
        self.status = 0
        self.sawField = false
        self.contentLength = nil
        self.announcesTrailers = false
        if self.state == .done || self.state == .tunnel { throw .unexpectedHead }
    }

    /// The next field of the list.
    public mutating func add(_ name: String, _ value: String) throws(UpstreamResponseProblem) {
        if name.utf8.first == UInt8(ascii: ":") { return try self.addStatus(name, value) }
        self.sawField = true
        guard self.state != .head || self.status != 0 else { throw .noStatus }
        let start = self.lines.count
        self.lines.append(contentsOf: name.utf8)
        self.lines.append(": ")
        self.lines.append(contentsOf: value.utf8)
        let kind = try self.checkLine(from: start, nameEnd: name.utf8.count)
        switch kind {
        case .te:
            // A request's alone.
            throw .connectionField
        case .contentLength where self.state == .head:
            self.contentLength = try self.takeLength(from: start, value)
            return
        case .trailer:
            self.announcesTrailers = true
        case .contentType where value.utf8.starts(with: "application/grpc".utf8):
            // What gRPC has to say at the end stands in trailers, which a plain body has no place for.
            self.announcesTrailers = true
        default:
            break
        }
        self.lines.append("\r\n")
        guard self.lines.count <= Self.limit else { throw .tooLarge }
    }

    private func checkLine(from start: Int, nameEnd: Int) throws(UpstreamResponseProblem) -> FieldName {
        let line = self.lines.span.bytes.extracting(start..<self.lines.count)
        do throws(HTTP2Malformation) {
            return try HTTP2FieldRules.check(line, nameEnd: nameEnd)
        } catch {
            throw UpstreamResponseProblem(error)
        }
    }

    /// Takes the line that was written last, of a Content-Length, away again: where it belongs is not known yet.
    private mutating func takeLength(from start: Int, _ value: String) throws(UpstreamResponseProblem) -> Int64 {
        let end = self.lines.count
        let length = decimal(self.lines.span.bytes, ByteRange(end - value.utf8.count, end))
        self.lines.removeLast(end - start)
        guard self.contentLength == nil, let length else { throw .contentLength }
        return length
    }

    private mutating func addStatus(_ name: String, _ value: String) throws(UpstreamResponseProblem) {
        guard name == ":status", self.state == .head, !self.sawField, self.status == 0 else { throw .pseudoHeader }
        let digits = Array(value.utf8)
        guard digits.count == 3, let status = decimal(digits.span.bytes, ByteRange(0, 3)), (100...599).contains(status),
            status != 101
        else { throw .status }
        self.status = Int(status)
    }

    /// The list of fields is complete.
    ///
    /// - Parameters:
    ///   - endStream: whether nothing follows.
    ///   - output: gets the HTTP/1.1 bytes, if there is no problem.
    public mutating func endFields(
        endStream: Bool, into output: inout [UInt8]
    ) throws(UpstreamResponseProblem) {
        output.reserveCapacity(self.lines.count + 64)
        guard self.state == .head else { return try self.endTrailers(endStream: endStream, into: &output) }
        guard self.status != 0 else { throw .noStatus }
        if self.status < 200 {
            guard !endStream else { throw .unexpectedHead }
            self.appendHead(into: &output)
            return output.append("\r\n")
        }
        if let accept, self.status < 300, !endStream { return self.openTunnel(accept, into: &output) }
        try self.resolveContent(endStream: endStream)
        self.appendHead(into: &output)
        self.appendFraming(endStream: endStream, into: &output)
        output.append("\r\n")
        if endStream { self.state = .done }
    }

    private mutating func resolveContent(endStream: Bool) throws(UpstreamResponseProblem) {
        if self.toHead || self.status == 204 || self.status == 304 {
            self.state = .content(.plain, left: 0)
        } else if endStream {
            guard self.contentLength == nil || self.contentLength == 0 else { throw .contentLength }
            self.state = .content(.plain, left: 0)
        } else {
            let isPlain = self.contentLength != nil && !self.announcesTrailers
            self.state = .content(isPlain ? .plain : .chunk, left: self.contentLength)
        }
    }

    private func appendHead(into output: inout [UInt8]) {
        output.append("HTTP/1.1 ")
        output.append(contentsOf: String(self.status).utf8)
        output.append(" \r\n")
        output.append(contentsOf: self.lines)
    }

    private func appendFraming(endStream: Bool, into output: inout [UInt8]) {
        if case .content(.chunk, _) = self.state { return output.append("transfer-encoding: chunked\r\n") }
        // RFC 9110 section 8.6: none in 204; in the answer to HEAD and in 304 it speaks of another answer.
        let isSilent = self.toHead || self.status == 304
        guard self.status != 204, let length = self.contentLength ?? (isSilent ? nil : 0) else { return }
        output.append("content-length: ")
        output.append(contentsOf: String(length).utf8)
        output.append("\r\n")
    }

    /// What RFC 6455 answers where RFC 8441 does with a 2xx.
    private mutating func openTunnel(_ accept: [UInt8], into output: inout [UInt8]) {
        self.state = .tunnel
        output.append("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
        output.append("Sec-WebSocket-Accept: ")
        output.append(contentsOf: accept)
        output.append("\r\n")
        output.append(contentsOf: self.lines)
        output.append("\r\n")
    }

    /// Fields after the content. Where the length was in the head, HTTP/1.1 has no place for them, and they are left out
    /// (RFC 9110 section 6.5.1).
    private mutating func endTrailers(endStream: Bool, into output: inout [UInt8]) throws(UpstreamResponseProblem) {
        guard endStream, case .content(let framing, let left) = self.state else { throw .unexpectedHead }
        guard left == nil || left == 0 else { throw .contentLength }
        if framing == .chunk { ChunkEncoder.appendEnd(trailers: self.lines, to: &output) }
        self.state = .done
    }

    // MARK: - Content

    /// Content came. Returns how it stands in the HTTP/1.1 bytes; `end`, if the stream ends with it, comes after it.
    ///
    /// - Parameters:
    ///   - count: bytes of it.
    ///   - endStream: whether nothing follows.
    public mutating func received(
        _ count: Int, endStream: Bool
    ) throws(UpstreamResponseProblem) -> (framing: Framing, isEnd: Bool) {
        if self.state == .tunnel { return (.plain, false) }
        guard case .content(let framing, let left) = self.state else { throw .unexpectedContent }
        var rest = left
        if let left {
            guard Int64(count) <= left else { throw left == 0 ? .unexpectedContent : .contentLength }
            rest = left &- Int64(count)
            guard !endStream || rest == 0 else { throw .contentLength }
        }
        self.state = endStream ? .done : .content(framing, left: rest)
        return (framing, endStream && framing == .chunk)
    }
}
