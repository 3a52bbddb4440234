/// Reads the request that Postern writes to a service, HTTP/1.1 bytes in whatever pieces they come, as what a stream of
/// HTTP/2 carries: one list of fields, content, perhaps trailers (RFC 9113 section 8.1).
public struct UpstreamRequest: Sendable {
    /// What the next bytes are.
    public enum Step: Equatable, Sendable {
        /// The rest is not complete: give these bytes again, with more behind them.
        case needMore
        /// The head: its fields are in `fields`; the first byte that is not of it is at `end`.
        case head(end: Int)
        /// Content: the bytes of this range; go on from its end.
        case data(Range<Int>)
        /// All bytes are used, and the content goes on.
        case dataGoesOn
        /// The request is complete; what is left of the bytes begins at `end`. Trailers are in `fields`.
        case complete(end: Int)
        /// There is nothing after the end.
        case done
        /// HTTP/2 as it is written here cannot carry it.
        case problem(Problem)
    }

    /// Why a request cannot go over HTTP/2.
    public enum Problem: Error, Equatable, Sendable {
        /// A field value, or the path, is not UTF-8: it could not be sent unchanged.
        case notUTF8
        /// It asks for another protocol, and not for a WebSocket (RFC 8441 knows no other here).
        case protocolSwitch
        /// The bytes are no request: never the case for what Postern writes.
        case malformed
    }

    /// One field, its name in lower case.
    public struct Field: Equatable, Sendable {
        public var name: String
        public var value: String
        /// Whether the value differs from request to request, or is a secret: it is kept out of compression tables
        /// (RFC 7541 section 7.1).
        public var isUnindexed: Bool

        public init(_ name: String, _ value: String, isUnindexed: Bool = false) {
            self.name = name
            self.value = value
            self.isUnindexed = isUnindexed
        }
    }

    private enum State: Sendable {
        case head
        case content(BodyDecoder)
        /// A WebSocket (RFC 8441): all that comes is content.
        case tunnel
        case done
    }

    private var state = State.head
    private var scanner = HeadScanner(skipsEmptyLine: false)
    private let scheme: String
    /// The pseudo-header fields of the head.
    public private(set) var pseudoFields: [Field] = []
    /// All other fields of the head, or those of the trailers, as they stand in a field block (see `FieldBlock`).
    public private(set) var block: [UInt8] = []
    /// Whether the method is HEAD: the response has no content.
    public private(set) var isHead = false
    /// What `Sec-WebSocket-Key` was, of a request that asks for a WebSocket.
    public private(set) var webSocketKey: [UInt8]?

    private static let te = Array("te".utf8)
    private static let trailers = Array("trailers".utf8)

    /// Postern's own head: what clients send is limited where it is read.
    private static let limits = HeadLimits(head: 8 << 20, target: 2 << 20, fields: 1 << 16)

    /// - Parameter overTLS: what `:scheme` says.
    public init(overTLS: Bool) {
        self.scheme = overTLS ? "https" : "http"
    }

    /// Whether nothing more will come.
    public var isComplete: Bool {
        switch self.state {
        case .head, .tunnel: false
        case .content(let body): body.isComplete
        case .done: true
        }
    }

    /// Reads on. `bytes` begins with the first byte that was not used yet.
    public mutating func next(_ bytes: RawSpan) -> Step {
        switch self.state {
        case .head:
            return self.readHead(bytes)
        case .content(var body):
            let step = body.next(bytes, from: 0)
            self.state = .content(body)
            switch step {
            case .data(let range): return .data(range)
            case .needMore: return .dataGoesOn
            case .problem: return .problem(.malformed)
            case .complete(let end): return self.complete(body.trailers, end: end)
            }
        case .tunnel:
            return bytes.byteCount > 0 ? .data(0..<bytes.byteCount) : .dataGoesOn
        case .done:
            return .done
        }
    }

    private mutating func complete(_ trailers: [UInt8], end: Int) -> Step {
        self.state = .done
        self.pseudoFields = []
        self.block = []
        guard !trailers.isEmpty else { return .complete(end: end) }
        let bytes = trailers + Array("\r\n".utf8)
        var scanner = HeadScanner(skipsEmptyLine: false)
        guard case .complete = scanner.scan(bytes.span.bytes, limits: Self.limits) else { return .problem(.malformed) }
        do throws(Problem) {
            for line in scanner.lines { try self.append(bytes.span.bytes, try Self.field(bytes.span.bytes, line)) }
        } catch {
            return .problem(error)
        }
        return .complete(end: end)
    }

    /// The fields of the head, pseudo-headers first, or those of the trailers.
    public var fields: [Field] {
        var fields = self.pseudoFields
        FieldBlock.forEach(self.block.span.bytes) { name, value, isSecret in
            fields.append(Field(name.string(), value.string(), isUnindexed: isSecret))
        }
        return fields
    }

    // MARK: - Head

    private mutating func readHead(_ bytes: RawSpan) -> Step {
        guard bytes.byteCount > 0 else { return .needMore }
        switch self.scanner.scan(bytes, limits: Self.limits) {
        case .incomplete:
            return .needMore
        case .problem:
            return .problem(.malformed)
        case .complete(let end):
            do throws(Problem) {
                try self.readLines(bytes)
            } catch {
                return .problem(error)
            }
            return .head(end: end)
        }
    }

    private mutating func readLines(_ bytes: RawSpan) throws(Problem) {
        let count = self.scanner.found.count
        self.block.reserveCapacity(bytes.byteCount)
        try self.readRequestLine(bytes, self.scanner.found[0])
        var framing = BodyFraming.none
        var upgrade: ByteRange?
        var key: (value: ByteRange, place: Range<Int>)?
        for index in 1..<count {
            let field = try Self.field(bytes, self.scanner.found[index])
            switch field.kind {
            case .host:
                self.pseudoFields.append(Field(":authority", try Self.text(bytes, field.value)))
            case .contentLength:
                guard let length = decimal(bytes, field.value) else { throw .malformed }
                framing = length > 0 ? .length(length) : .none
                try self.append(bytes, field)
            case .transferEncoding:
                framing = .chunked
            case .upgrade:
                upgrade = field.value
            default:
                guard !field.kind.isHopByHop else { continue }
                let start = self.block.count
                try self.append(bytes, field)
                if key == nil, bytes.slice(field.name).equalsIgnoringCase("sec-websocket-key") {
                    key = (field.value, start..<self.block.count)
                }
            }
        }
        if let upgrade {
            try self.askForWebSocket(bytes.slice(upgrade))
            guard let key else { throw .malformed }
            self.webSocketKey = bytes.slice(key.value).array()
            return self.block.removeSubrange(key.place)
        }
        // A client that takes no trailers leaves them unread; a service such as gRPC's wants to know that they arrive.
        FieldBlock.append(Self.te.span.bytes, Self.trailers.span.bytes, to: &self.block)
        self.state = .content(BodyDecoder(framing, trailerLimit: Self.limits.head))
    }

    private mutating func readRequestLine(_ bytes: RawSpan, _ line: ByteRange) throws(Problem) {
        let start = Int(line.start)
        let versionStart = Int(line.end) - " HTTP/1.1".utf8.count
        var space = start
        while space < Int(line.end), bytes.byte(space) != UInt8(ascii: " ") { space += 1 }
        guard space > start, space + 1 < versionStart, bytes.byte(versionStart) == UInt8(ascii: " ") else {
            throw .malformed
        }
        let method = bytes.slice(ByteRange(start, space))
        self.isHead = method.equals("HEAD")
        self.pseudoFields = [
            Field(":method", method.string()), Field(":scheme", self.scheme),
            Field(":path", try Self.text(bytes, ByteRange(space + 1, versionStart))),
        ]
    }

    /// RFC 8441 section 4 in place of RFC 6455's handshake.
    private mutating func askForWebSocket(_ name: RawSpan) throws(Problem) {
        guard name.equalsIgnoringCase("websocket") else { throw .protocolSwitch }
        self.pseudoFields[0].value = "CONNECT"
        self.pseudoFields.insert(Field(":protocol", "websocket"), at: 1)
        self.state = .tunnel
    }

    // MARK: - Fields

    private static func field(_ bytes: RawSpan, _ line: ByteRange) throws(Problem) -> HeaderField {
        do throws(HTTPProblem) { return try HeaderField.read(bytes, line) } catch { throw .malformed }
    }

    private mutating func append(_ bytes: RawSpan, _ field: HeaderField) throws(Problem) {
        let name = bytes.slice(field.name)
        let value = bytes.slice(field.value)
        guard Self.isText(value) else { throw .notUTF8 }
        FieldBlock.append(name, value, isSecret: Self.isUnindexed(name, field.kind), to: &self.block)
    }

    private static func isText(_ value: RawSpan) -> Bool {
        var i = 0
        // Nearly every value is of ASCII.
        while i &+ 8 <= value.byteCount, value.word(i) & 0x8080_8080_8080_8080 == 0 { i &+= 8 }
        while i < value.byteCount, value.byte(i) < 0x80 { i &+= 1 }
        return i == value.byteCount || value.validatedString() != nil
    }

    private static func text(_ bytes: RawSpan, _ range: ByteRange) throws(Problem) -> String {
        guard let text = bytes.slice(range).validatedString() else { throw .notUTF8 }
        return text
    }

    private static func isUnindexed(_ name: RawSpan, _ kind: FieldName) -> Bool {
        switch kind {
        case .authorization, .xRequestID, .traceparent, .tracestate, .contentLength, .grpcTimeout: true
        default: name.equalsIgnoringCase("cookie")
        }
    }
}
