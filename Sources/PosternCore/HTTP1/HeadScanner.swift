/// Finds the end of a head and its lines, in one pass that can be interrupted at any byte.
///
/// Everything about the raw shape of a head is decided here: lines end in CRLF and nothing else (a bare CR or LF is how
/// requests are smuggled past a more tolerant neighbour, RFC 9112 section 2.2), no control characters but a tab
/// inside a line, at most one empty line before the first. What the lines say is for `RequestHead` and
/// `ResponseHead`.
public struct HeadScanner: Sendable {
    /// What a scan found.
    public enum Outcome: Equatable, Sendable {
        /// The head is complete; `end` is the offset after its empty line.
        case complete(end: Int)
        /// All bytes are used and the head goes on.
        case incomplete
        /// The bytes are no head.
        case problem(HTTPProblem)
    }

    /// The head's lines without their CRLF, the start line first. Allocates: the path of a request takes `found`.
    public var lines: [ByteRange] { Array(self.table[..<self.progress.found]) }
    /// Places for lines, of which the first `found` count: writing to a place that is there already needs neither a check
    /// for room nor one for other owners of the array.
    private var table: [ByteRange]
    private var progress = Progress()

    private let skipsEmptyLine: Bool

    /// - Parameter skipsEmptyLine: whether one empty line before the first is passed over: before a request it is
    ///   (RFC 9112 section 2.2), before a response or in trailers it is not.
    public init(skipsEmptyLine: Bool = true) {
        self.skipsEmptyLine = skipsEmptyLine
        self.table = [ByteRange](repeating: .none, count: 32)
    }

    /// The head's lines without their CRLF, the start line first.
    var found: Span<ByteRange> {
        @_lifetime(borrow self)
        get { self.table.span.extracting(first: self.progress.found) }
    }

    /// Makes the scanner ready for another head; keeps its memory.
    public mutating func reset() {
        self.progress = Progress()
    }

    private struct Progress {
        var position = 0
        var lineStart = 0
        /// Lines that were found.
        var found = 0
    }

    /// Goes on where the last scan stopped. `bytes` begins with the head's first byte each time.
    ///
    /// Cost: each byte is looked at once, however the head is cut into pieces.
    public mutating func scan(_ bytes: RawSpan, limits: HeadLimits) -> Outcome {
        while true {
            let outcome = Self.fill(&self.table, &self.progress, bytes, limits, skipsEmptyLine: self.skipsEmptyLine)
            if let outcome { return outcome }
            self.table.append(contentsOf: repeatElement(.none, count: self.table.count))
        }
    }

    /// The same up to where the table is full: nil then.
    @inline(__always)
    private static func fill(
        _ table: inout [ByteRange], _ progress: inout Progress, _ bytes: RawSpan, _ limits: HeadLimits,
        skipsEmptyLine: Bool
    ) -> Outcome? {
        let count = min(bytes.byteCount, limits.head &+ 1)
        var i = progress.position
        var start = progress.lineStart
        var found = progress.found
        defer { progress = Progress(position: i, lineStart: start, found: found) }
        var places = table.mutableSpan
        while true {
            i = firstControl(bytes, from: i, to: count)
            if i == count { return Self.suspend(found, i &- start, seen: bytes.byteCount, limits: limits) }
            let byte = bytes.byte(i)
            if byte == UInt8(ascii: "\t") {
                i &+= 1
                continue
            }
            guard byte == UInt8(ascii: "\r") else { return .problem(.malformed(.controlCharacter)) }
            guard i &+ 1 < count else {
                return Self.suspend(found, i &- start, seen: bytes.byteCount, limits: limits)
            }
            guard bytes.byte(i &+ 1) == UInt8(ascii: "\n") else { return .problem(.malformed(.bareCarriageReturn)) }
            if start == i {
                if found > 0 {
                    i &+= 2
                    return i <= limits.head ? .complete(end: i) : .problem(.headTooLarge)
                }
                // RFC 9112 section 2.2: an empty line before a request line is skipped; here at most one.
                guard start == 0, skipsEmptyLine else { return .problem(.malformed(.emptyLines)) }
            } else {
                if found == 0, i &- start > limits.startLine { return .problem(.targetTooLong) }
                // The start line and one more than the limit: the line that is too many is refused at once.
                guard found <= limits.fields else { return .problem(.headTooLarge) }
                guard found < places.count else { return nil }
                places[found] = ByteRange(start, i)
                found &+= 1
            }
            i &+= 2
            start = i
        }
    }

    /// All bytes are used; the current line, the first if none was found before, has `length` of them so far.
    private static func suspend(_ found: Int, _ length: Int, seen: Int, limits: HeadLimits) -> Outcome {
        if found == 0, length > limits.startLine { return .problem(.targetTooLong) }
        return seen > limits.head ? .problem(.headTooLarge) : .incomplete
    }
}

/// How large a head may be.
public struct HeadLimits: Equatable, Sendable {
    /// Bytes of the whole head with its empty line (`limits.head`).
    public var head: Int
    /// Bytes of the request target (`limits.target`).
    public var target: Int
    /// Field lines (`limits.headers`).
    public var fields: Int

    public init(head: Int = 32 * 1024, target: Int = 8 * 1024, fields: Int = 100) {
        self.head = head
        self.target = target
        self.fields = fields
    }

    /// Bytes of the start line: the target, a method of at most 64 bytes and the version.
    var startLine: Int { self.target &+ 80 }
}

/// Why bytes are not an acceptable HTTP/1.1 message. Each is an answer to a client, or, from an upstream, a 502.
public enum HTTPProblem: Error, Equatable, Sendable {
    /// 400.
    case malformed(Malformation)
    /// 414: the request target is over its limit.
    case targetTooLong
    /// 431: the head, or the number of its fields, is over its limit.
    case headTooLarge
    /// 501: a transfer coding other than `chunked`.
    case unknownTransferCoding
    /// 501: CONNECT, or a method name of absurd length.
    case methodNotImplemented
    /// 505: another version than 1.0 and 1.1.
    case versionNotSupported
    /// 417: an expectation other than `100-continue`.
    case expectationFailed

    /// The kinds of malformed messages, for `detail` and for tests.
    public enum Malformation: String, Equatable, Sendable {
        case controlCharacter = "a control character, or a bare CR or LF"
        case bareCarriageReturn = "a CR that no LF follows"
        case emptyLines = "more than one empty line before the request line"
        case startLine = "the start line is not of the form the standard gives"
        case method = "the method is not a token"
        case target = "the request target is not acceptable"
        case foldedLine = "a field line begins with whitespace (obsolete line folding)"
        case fieldName = "a field name is empty, has a character that names cannot have, or is followed by whitespace"
        case missingHost = "there is no Host field"
        case repeatedHost = "there is more than one Host field"
        case host = "the Host field is not a host and port"
        case hostMismatch = "the Host field and the request target name different hosts"
        case contentLength = "Content-Length is not one plain decimal number"
        case lengthAndCoding = "there are both Content-Length and Transfer-Encoding"
        case codingInOldVersion = "there is a Transfer-Encoding in an HTTP/1.0 message"
        case connectionNamesFraming = "Connection names a field that belongs to the message"
        case chunkSize = "a chunk size is not plain hexadecimal, or too large"
        case chunkExtension = "a chunk extension is over 256 bytes or malformed"
        case chunkEnd = "a chunk does not end where its size says"
        case trailer = "a trailer field is malformed or not allowed in trailers"
    }
}
