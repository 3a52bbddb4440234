/// Splits a body off a stream of bytes, strictly (RFC 9112 sections 6 and 7). Works at every cut of the input: it buffers nothing
/// but trailers.
public struct BodyDecoder: Sendable {
    /// What the next bytes are.
    public enum Step: Equatable, Sendable {
        /// Content: the bytes of this range; ask again from its end.
        case data(Range<Int>)
        /// All bytes are used; the body goes on.
        case needMore
        /// The body is complete; the first byte that is not part of it is at `end`. Trailers, if any, are in
        /// `trailers`.
        case complete(end: Int)
        case problem(HTTPProblem)
    }

    private enum State: Equatable, Sendable {
        case none
        case length(remaining: Int64)
        case untilClose
        /// In a chunk's size; `digits` so far.
        case chunkSize(value: Int64, digits: Int)
        /// After the size: whitespace or `;` and so on, to the CR.
        case chunkExtension(size: Int64, count: Int)
        /// The CR of a size line was seen.
        case chunkSizeEnd(size: Int64)
        case chunkData(remaining: Int64)
        case chunkDataCR
        case chunkDataLF
        /// At the start of, or within, trailer lines.
        case trailers
        case finished
    }

    private var state: State
    private let trailerLimit: Int
    /// The trailer section: whole field lines with their CRLF, checked; empty if there is none.
    public private(set) var trailers: [UInt8] = []

    /// - Parameter trailerLimit: bytes that the trailer section may have.
    public init(_ framing: BodyFraming, trailerLimit: Int) {
        self.trailerLimit = trailerLimit
        switch framing {
        case .none: self.state = .none
        case .length(let count): self.state = count > 0 ? .length(remaining: count) : .none
        case .chunked: self.state = .chunkSize(value: 0, digits: 0)
        case .untilClose: self.state = .untilClose
        }
    }

    /// Whether the whole body was seen.
    public var isComplete: Bool { self.state == .none || self.state == .finished }

    /// Whether the end of the connection is the regular end of this body.
    public var endsWithConnection: Bool { self.state == .untilClose }

    /// Reads on from `offset`. Call again from the end of a `data` range, until it says otherwise.
    public mutating func next(_ bytes: RawSpan, from offset: Int) -> Step {
        let count = bytes.byteCount
        switch self.state {
        case .none, .finished:
            return .complete(end: offset)
        case .untilClose:
            return offset < count ? .data(offset..<count) : .needMore
        case .length(let remaining):
            guard offset < count else { return .needMore }
            let available = min(Int64(count &- offset), remaining)
            self.state = remaining == available ? .finished : .length(remaining: remaining &- available)
            return .data(offset..<(offset &+ Int(available)))
        default:
            return self.nextChunked(bytes, from: offset)
        }
    }

    // MARK: - Chunked (RFC 9112 section 7.1)

    private mutating func nextChunked(_ bytes: RawSpan, from offset: Int) -> Step {
        var i = offset
        let count = bytes.byteCount
        while i < count {
            switch self.state {
            case .chunkData(let remaining):
                let available = min(Int64(count &- i), remaining)
                self.state = remaining == available ? .chunkDataCR : .chunkData(remaining: remaining &- available)
                return .data(i..<(i &+ Int(available)))
            case .trailers:
                return self.readTrailers(bytes, from: i)
            case .finished:
                return .complete(end: i)
            default:
                if let problem = self.framingByte(bytes.byte(i)) { return .problem(.malformed(problem)) }
                i &+= 1
            }
        }
        return self.state == .finished ? .complete(end: i) : .needMore
    }

    /// Takes one byte of a chunk's size line or of the CRLF after its data.
    private mutating func framingByte(_ byte: UInt8) -> HTTPProblem.Malformation? {
        switch self.state {
        case .chunkSize(let value, let digits):
            if let digit = hexValue(byte) {
                // 15 digits are 2^60: more cannot be meant, and never overflows.
                guard digits < 15 else { return .chunkSize }
                self.state = .chunkSize(value: value << 4 | Int64(digit), digits: digits &+ 1)
                return nil
            }
            guard digits > 0 else { return .chunkSize }
            return self.afterChunkSize(byte, size: value, count: 0)
        case .chunkExtension(let size, let count):
            return self.afterChunkSize(byte, size: size, count: count)
        case .chunkSizeEnd(let size):
            guard byte == UInt8(ascii: "\n") else { return .chunkEnd }
            self.state = size == 0 ? .trailers : .chunkData(remaining: size)
            return nil
        case .chunkDataCR:
            guard byte == UInt8(ascii: "\r") else { return .chunkEnd }
            self.state = .chunkDataLF
            return nil
        case .chunkDataLF:
            guard byte == UInt8(ascii: "\n") else { return .chunkEnd }
            self.state = .chunkSize(value: 0, digits: 0)
            return nil
        default:
            return nil
        }
    }

    private mutating func afterChunkSize(_ byte: UInt8, size: Int64, count: Int) -> HTTPProblem.Malformation? {
        if byte == UInt8(ascii: "\r") {
            self.state = .chunkSizeEnd(size: size)
            return nil
        }
        // An extension begins with a semicolon right after the size; it is dropped, never passed on.
        if count == 0, byte != UInt8(ascii: ";") { return .chunkSize }
        guard count < 256, byte >= 0x20, byte != 0x7F else { return .chunkExtension }
        self.state = .chunkExtension(size: size, count: count &+ 1)
        return nil
    }

    // MARK: - Trailers (RFC 9110 section 6.5)

    private mutating func readTrailers(_ bytes: RawSpan, from offset: Int) -> Step {
        var i = offset
        let count = bytes.byteCount
        if self.trailers.isEmpty { self.trailers.reserveCapacity(min(count &- i, 256)) }
        while i < count {
            self.trailers.append(bytes.byte(i))
            i &+= 1
            guard self.trailers.count <= self.trailerLimit else { return .problem(.malformed(.trailer)) }
            let end = self.trailers.count
            guard self.trailers[end &- 1] == UInt8(ascii: "\n") else { continue }
            guard end >= 2, self.trailers[end &- 2] == UInt8(ascii: "\r") else {
                return .problem(.malformed(.trailer))
            }
            let emptyLine = end == 2 || (end >= 4 && self.trailers[end &- 3] == UInt8(ascii: "\n"))
            guard emptyLine else { continue }
            if let problem = Self.trailerProblem(self.trailers) { return .problem(problem) }
            self.trailers.removeLast(2)
            self.state = .finished
            return .complete(end: i)
        }
        return .needMore
    }

    /// Each line must be a well-formed field that is allowed in trailers. Identity names are for the stage that knows
    /// them.
    private static func trailerProblem(_ trailers: [UInt8]) -> HTTPProblem? {
        guard trailers.count > 2 else { return nil }
        var scanner = HeadScanner(skipsEmptyLine: false)
        let bytes = trailers.span.bytes
        let limits = HeadLimits(head: trailers.count, target: trailers.count, fields: trailers.count)
        guard case .complete = scanner.scan(bytes, limits: limits) else { return .malformed(.trailer) }
        for line in scanner.lines {
            guard let field = try? HeaderField.read(bytes, line), !field.kind.isForbiddenInTrailers,
                !Self.isCredential(bytes.slice(field.name))
            else { return .malformed(.trailer) }
        }
        return nil
    }

    /// Whether a field that is nothing special in a head carries authentication, which no trailer may (RFC 9110
    /// section 6.5.1).
    private static func isCredential(_ name: RawSpan) -> Bool {
        name.equalsIgnoringCase("cookie") || name.equalsIgnoringCase("set-cookie")
            || name.equalsIgnoringCase("www-authenticate")
    }
}

/// The value of a hexadecimal digit.
@inline(__always)
func hexValue(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte &- UInt8(ascii: "0") }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter &+ 10 : nil
}
