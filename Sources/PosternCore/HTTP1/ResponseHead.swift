/// A response head from the upstream, read: offsets into the bytes it was read from. Reused like `RequestHead`.
///
/// As strict as the other direction: what this refuses is answered with 502 and never reaches the client.
public struct ResponseHead: Sendable {
    public var status = 0
    /// After the head's empty line.
    public var end = 0
    public var minorVersion: UInt8 = 1
    /// From after the version to the end of the status line: `" 200 OK"`.
    public var statusAndReason = ByteRange.none
    public var fields: [HeaderField] = []
    public var framing: BodyFraming = .none
    /// Whether the upstream keeps the connection after this response.
    public var keepAlive = true
    /// Whole seconds of `Keep-Alive: timeout=`, if the upstream said so.
    public var keepAliveTimeout: Int64?
    /// The fields that Connection names besides the usual ones.
    public var nominated: [ByteRange] = []
    /// Whether the body is one that may be silent for long: `text/event-stream`, or the messages of a gRPC call.
    public var isEventStream = false

    /// 1xx: not the final response.
    public var isInterim: Bool { self.status < 200 }

    var contentLength: Int64?
    var transferEncodingCount = 0
    var chunkedCoding = false
    var sawClose = false
    var sawKeepAlive = false

    public init() {
        self.fields.reserveCapacity(32)
    }

    /// Reads the lines that `scanner` found.
    ///
    /// - Parameter toHead: the request was HEAD, so that the response has no body whatever its fields say
    ///   (RFC 9112 section 6.3).
    public mutating func read(
        _ bytes: RawSpan, lines: [ByteRange], end: Int, toHead: Bool
    ) throws(HTTPProblem) {
        try self.read(bytes, lines.span, end: end, toHead: toHead)
    }

    /// Reads the lines of a scanner whose scan is complete.
    public mutating func read(
        _ bytes: RawSpan, _ scanner: HeadScanner, end: Int, toHead: Bool
    ) throws(HTTPProblem) {
        try self.read(bytes, scanner.found, end: end, toHead: toHead)
    }

    @inline(__always)
    private mutating func read(
        _ bytes: RawSpan, _ lines: Span<ByteRange>, end: Int, toHead: Bool
    ) throws(HTTPProblem) {
        self.fields.removeAll(keepingCapacity: true)
        self.end = end
        self.keepAliveTimeout = nil
        if !self.nominated.isEmpty { self.nominated.removeAll(keepingCapacity: true) }
        self.isEventStream = false
        self.contentLength = nil
        self.transferEncodingCount = 0
        self.chunkedCoding = false
        self.sawClose = false
        self.sawKeepAlive = false
        try self.readStatusLine(bytes, lines[0])
        try self.readFields(bytes, lines)
        try self.resolveFraming(toHead: toHead)
        self.keepAlive =
            !self.sawClose && (self.minorVersion == 1 || self.sawKeepAlive) && self.framing != .untilClose
    }

    private mutating func readFields(_ bytes: RawSpan, _ lines: Span<ByteRange>) throws(HTTPProblem) {
        // As in `RequestHead`.
        var fields = self.fields
        self.fields = []
        defer { self.fields = fields }
        try fields.append(addingCapacity: lines.count) { output throws(HTTPProblem) in
            for index in 1..<lines.count {
                let field = try HeaderField.read(bytes, lines[index])
                output.append(field)
                if field.kind != .other { try self.note(bytes, field) }
            }
        }
    }

    /// `HTTP/1.x SP 3DIGIT [SP reason]` (RFC 9112 section 4).
    private mutating func readStatusLine(_ bytes: RawSpan, _ line: ByteRange) throws(HTTPProblem) {
        let start = Int(line.start)
        guard line.count >= 12 else { throw .malformed(.startLine) }
        self.minorVersion = try RequestHead.minorVersion(bytes, start)
        guard bytes.byte(start &+ 8) == UInt8(ascii: " ") else { throw .malformed(.startLine) }
        var status = 0
        for i in (start &+ 9)..<(start &+ 12) {
            guard isDigit(bytes.byte(i)) else { throw .malformed(.startLine) }
            status = status * 10 + Int(bytes.byte(i) &- UInt8(ascii: "0"))
        }
        guard status >= 100, status <= 599 else { throw .malformed(.startLine) }
        guard line.count == 12 || bytes.byte(start &+ 12) == UInt8(ascii: " ") else { throw .malformed(.startLine) }
        self.status = status
        self.statusAndReason = ByteRange(start &+ 8, Int(line.end))
    }

    private mutating func note(_ bytes: RawSpan, _ field: HeaderField) throws(HTTPProblem) {
        switch field.kind {
        case .contentLength:
            guard self.contentLength == nil, let length = decimal(bytes, field.value) else {
                throw .malformed(.contentLength)
            }
            self.contentLength = length
        case .transferEncoding:
            self.transferEncodingCount &+= 1
            self.chunkedCoding = bytes.slice(field.value).equalsIgnoringCase("chunked")
        case .connection:
            forEachListRange(bytes, field.value) { range in
                let item = bytes.slice(range)
                if item.equalsIgnoringCase("close") {
                    self.sawClose = true
                } else if item.equalsIgnoringCase("keep-alive") {
                    self.sawKeepAlive = true
                } else {
                    let kind = FieldName.classify(item, 0, item.byteCount)
                    let isUsual = kind.isHopByHop || kind == .contentLength
                    if !isUsual, self.nominated.count <= nominatedLimit { self.nominated.append(range) }
                }
            }
            guard self.nominated.count <= nominatedLimit else { throw .headTooLarge }
        case .keepAlive:
            forEachListItem(bytes, field.value) { item in
                let prefix = 8
                guard item.byteCount > prefix, item.extracting(0..<prefix).equalsIgnoringCase("timeout=") else {
                    return
                }
                self.keepAliveTimeout = decimal(item, ByteRange(prefix, item.byteCount)) ?? self.keepAliveTimeout
            }
        case .contentType:
            let value = bytes.slice(field.value)
            let kind = 17
            self.isEventStream =
                value.byteCount >= kind && value.extracting(0..<kind).equalsIgnoringCase("text/event-stream")
                || GRPCContentType(value) != nil
        default:
            break
        }
    }

    private mutating func resolveFraming(toHead: Bool) throws(HTTPProblem) {
        if self.transferEncodingCount > 0 {
            guard self.contentLength == nil else { throw .malformed(.lengthAndCoding) }
            guard self.minorVersion == 1 else { throw .malformed(.codingInOldVersion) }
            guard self.transferEncodingCount == 1, self.chunkedCoding else { throw .unknownTransferCoding }
        }
        if toHead || self.isInterim || self.status == 204 || self.status == 304 {
            self.framing = .none
        } else if self.transferEncodingCount > 0 {
            self.framing = .chunked
        } else if let length = self.contentLength {
            self.framing = length == 0 ? .none : .length(length)
        } else {
            self.framing = .untilClose
        }
    }
}
