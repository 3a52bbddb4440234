/// A request head, read: offsets into the bytes it was read from, nothing copied. Made to be reused: one value an event
/// loop, so that reading a head allocates nothing.
public struct RequestHead: Sendable {
    public var method: Method = .get
    /// The method's token.
    public var methodToken = ByteRange.none
    public var target = ByteRange.none
    /// The request line without its CRLF.
    public var requestLine = ByteRange.none
    /// After the head's empty line.
    public var end = 0
    /// The x of HTTP/1.x: 0 or 1.
    public var minorVersion: UInt8 = 1
    public var fields: [HeaderField] = []
    public var framing: BodyFraming = .none
    /// The value of Host.
    public var host = ByteRange.none
    /// The first Authorization value; how many there are is `authorizationCount`.
    public var authorization = ByteRange.none
    public var authorizationCount = 0
    /// The first X-Request-Id value; empty if there is none, or more than one, or Connection names it.
    public var requestID = ByteRange.none
    /// The first traceparent value; empty if there is none, or more than one, or Connection names it.
    public var traceparent = ByteRange.none
    /// The first Origin value; how many there are is `originCount`.
    public var origin = ByteRange.none
    public var originCount = 0
    /// The value of Content-Type, the last one if there are more.
    public var contentType = ByteRange.none
    /// Whether the client lets the connection go on after this exchange.
    public var keepAlive = true
    /// `Expect: 100-continue` in an HTTP/1.1 request with a body.
    public var expectsContinue = false
    /// An Upgrade that Connection names, to something other than h2c.
    public var upgrade = false
    /// The fields that Connection names besides the usual ones: they are to be removed, too.
    public var nominated: [ByteRange] = []

    var hostCount = 0
    var contentLengthCount = 0
    var transferEncodingCount = 0
    var requestIDCount = 0
    var traceparentCount = 0
    var requestIDNominated = false
    var traceparentNominated = false
    var chunkedCoding = false
    var connectionUpgrade = false
    var upgradeProtocols = false
    var expect = false
    /// `close` was named; no later `keep-alive` undoes it.
    var closeNamed = false

    public init() {
        self.fields.reserveCapacity(32)
    }

    /// Reads the lines that `scanner` found in `bytes`. Throws what is wrong with them; the head is then not usable.
    public mutating func read(
        _ bytes: RawSpan, lines: [ByteRange], end: Int, limits: HeadLimits
    ) throws(HTTPProblem) {
        try self.read(bytes, lines.span, end: end, limits: limits)
    }

    /// Reads the lines of a scanner whose scan is complete.
    public mutating func read(
        _ bytes: RawSpan, _ scanner: HeadScanner, end: Int, limits: HeadLimits
    ) throws(HTTPProblem) {
        try self.read(bytes, scanner.found, end: end, limits: limits)
    }

    @inline(__always)
    private mutating func read(
        _ bytes: RawSpan, _ lines: Span<ByteRange>, end: Int, limits: HeadLimits
    ) throws(HTTPProblem) {
        self.reset()
        self.end = end
        try self.readRequestLine(bytes, lines[0], limits: limits)
        try self.readFields(bytes, lines)
        try self.checkHost(bytes)
        try self.checkFraming()
        self.upgrade = self.connectionUpgrade && self.upgradeProtocols && self.minorVersion == 1
        if self.expect, self.minorVersion == 1, self.framing != .none { self.expectsContinue = true }
        // A field that Connection names does not go on: nothing of it may be taken for kept.
        if self.requestIDCount > 1 || self.requestIDNominated { self.requestID = .none }
        if self.traceparentCount > 1 || self.traceparentNominated { self.traceparent = .none }
    }

    private mutating func reset() {
        self.fields.removeAll(keepingCapacity: true)
        self.minorVersion = 1
        self.framing = .none
        self.host = .none
        self.authorization = .none
        self.authorizationCount = 0
        self.requestID = .none
        self.traceparent = .none
        self.contentType = .none
        if self.originCount != 0 {
            self.origin = .none
            self.originCount = 0
        }
        self.keepAlive = true
        self.expectsContinue = false
        self.upgrade = false
        if !self.nominated.isEmpty { self.nominated.removeAll(keepingCapacity: true) }
        self.hostCount = 0
        self.contentLengthCount = 0
        self.transferEncodingCount = 0
        self.requestIDCount = 0
        self.traceparentCount = 0
        self.requestIDNominated = false
        self.traceparentNominated = false
        self.chunkedCoding = false
        self.connectionUpgrade = false
        self.upgradeProtocols = false
        self.expect = false
        self.closeNamed = false
    }

    // MARK: - Request line (RFC 9112 section 3)

    private mutating func readRequestLine(
        _ bytes: RawSpan, _ line: ByteRange, limits: HeadLimits
    ) throws(HTTPProblem) {
        let end = Int(line.end)
        var i = Int(line.start)
        self.requestLine = line
        let methodStart = i
        while i < end, isTokenCharacter(bytes.byte(i)) { i &+= 1 }
        guard i > methodStart, i < end, bytes.byte(i) == UInt8(ascii: " ") else { throw .malformed(.method) }
        guard i &- methodStart <= 64 else { throw .methodNotImplemented }
        self.methodToken = ByteRange(methodStart, i)
        self.method = Self.method(bytes.extracting(methodStart..<i))
        i &+= 1
        // The version is the last nine bytes; the target is what is between, and has no space in it.
        let targetEnd = end &- 9
        guard targetEnd > i, bytes.byte(targetEnd) == UInt8(ascii: " ") else { throw .malformed(.startLine) }
        self.minorVersion = try Self.minorVersion(bytes, targetEnd &+ 1)
        guard firstBlank(bytes, from: i) == targetEnd else { throw .malformed(.startLine) }
        guard targetEnd &- i <= limits.target else { throw .targetTooLong }
        self.target = ByteRange(i, targetEnd)
        if self.method == .connect { throw .methodNotImplemented }
        if self.minorVersion == 0 { self.keepAlive = false }
    }

    /// The x of `HTTP/1.x` at `offset`, eight bytes before the line's end.
    static func minorVersion(_ bytes: RawSpan, _ offset: Int) throws(HTTPProblem) -> UInt8 {
        let word = bytes.word(offset)
        if word == UInt64(ascii: "HTTP/1.1") { return 1 }
        if word == UInt64(ascii: "HTTP/1.0") { return 0 }
        let version = bytes.extracting(offset..<(offset &+ 8))
        let isVersion =
            version.extracting(0..<5).equals("HTTP/") && isDigit(version.byte(5))
            && version.byte(6) == UInt8(ascii: ".") && isDigit(version.byte(7))
        throw isVersion ? .versionNotSupported : .malformed(.startLine)
    }

    /// The method that a token names.
    static func method(_ token: RawSpan) -> Method {
        switch token.byteCount {
        case 3:
            if token.equals("GET") { return .get }
            return token.equals("PUT") ? .put : .other
        case 4:
            if token.equals("POST") { return .post }
            return token.equals("HEAD") ? .head : .other
        case 5:
            if token.equals("PATCH") { return .patch }
            return token.equals("TRACE") ? .trace : .other
        case 6: return token.equals("DELETE") ? .delete : .other
        case 7:
            if token.equals("OPTIONS") { return .options }
            return token.equals("CONNECT") ? .connect : .other
        default: return .other
        }
    }

    // MARK: - Field lines (RFC 9112 section 5)

    private mutating func readFields(_ bytes: RawSpan, _ lines: Span<ByteRange>) throws(HTTPProblem) {
        // Taken out while it is written to, and room made once: a field is a store then.
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

    private mutating func note(_ bytes: RawSpan, _ field: HeaderField) throws(HTTPProblem) {
        switch field.kind {
        case .host:
            self.hostCount &+= 1
            self.host = field.value
        case .authorization:
            if self.authorizationCount == 0 { self.authorization = field.value }
            self.authorizationCount &+= 1
        case .contentLength:
            self.contentLengthCount &+= 1
            guard self.contentLengthCount == 1, let length = decimal(bytes, field.value) else {
                throw .malformed(.contentLength)
            }
            self.framing = length == 0 ? .none : .length(length)
        case .transferEncoding:
            self.transferEncodingCount &+= 1
            self.chunkedCoding = bytes.slice(field.value).equalsIgnoringCase("chunked")
        case .connection:
            try self.readConnection(bytes, field.value)
        case .upgrade:
            forEachListItem(bytes, field.value) { item in
                if !item.equalsIgnoringCase("h2c") { self.upgradeProtocols = true }
            }
        case .expect:
            guard !self.expect, bytes.slice(field.value).equalsIgnoringCase("100-continue") else {
                throw .expectationFailed
            }
            self.expect = true
        case .xRequestID:
            self.requestIDCount &+= 1
            self.requestID = field.value
        case .traceparent:
            self.traceparentCount &+= 1
            self.traceparent = field.value
        case .origin:
            if self.originCount == 0 { self.origin = field.value }
            self.originCount &+= 1
        case .contentType:
            self.contentType = field.value
        default:
            break
        }
    }

    private mutating func readConnection(_ bytes: RawSpan, _ value: ByteRange) throws(HTTPProblem) {
        var namesFraming = false
        forEachListRange(bytes, value) { range in
            let item = bytes.slice(range)
            if item.equalsIgnoringCase("close") {
                self.keepAlive = false
                self.closeNamed = true
            } else if item.equalsIgnoringCase("keep-alive") {
                if !self.closeNamed { self.keepAlive = true }
            } else if item.equalsIgnoringCase("upgrade") {
                self.connectionUpgrade = true
            } else {
                switch FieldName.classify(item, 0, item.byteCount) {
                case .host, .contentLength, .transferEncoding: namesFraming = true
                case .te, .keepAlive, .http2Settings: break
                case let kind:
                    if kind == .xRequestID { self.requestIDNominated = true }
                    if kind == .traceparent { self.traceparentNominated = true }
                    if self.nominated.count <= nominatedLimit { self.nominated.append(range) }
                }
            }
        }
        guard self.nominated.count <= nominatedLimit else { throw .headTooLarge }
        // Taking one of these away would change where the message goes or ends.
        if namesFraming { throw .malformed(.connectionNamesFraming) }
    }

    // MARK: - Host (RFC 9112 section 3.2) and framing (section 6)

    private func checkHost(_ bytes: RawSpan) throws(HTTPProblem) {
        guard self.hostCount <= 1 else { throw .malformed(.repeatedHost) }
        guard self.hostCount == 1 else { throw .malformed(.missingHost) }
        guard isHostAndPort(bytes.slice(self.host)) else { throw .malformed(.host) }
    }

    private mutating func checkFraming() throws(HTTPProblem) {
        guard self.transferEncodingCount > 0 else { return }
        guard self.contentLengthCount == 0 else { throw .malformed(.lengthAndCoding) }
        guard self.minorVersion == 1 else { throw .malformed(.codingInOldVersion) }
        guard self.transferEncodingCount == 1, self.chunkedCoding else { throw .unknownTransferCoding }
        self.framing = .chunked
    }
}

/// How a message's body is delimited (RFC 9112 section 6.3).
public enum BodyFraming: Equatable, Sendable {
    case none
    /// Exactly so many bytes.
    case length(Int64)
    case chunked
    /// Until the connection closes: responses only.
    case untilClose
}
