import PosternCore
import Testing

/// A head that was read, with the bytes that its ranges point into.
struct ReadRequest {
    let head: RequestHead
    let bytes: [UInt8]

    func text(_ range: ByteRange) -> String { String(decoding: self.bytes[range.range], as: UTF8.self) }

    /// The fields as `Name: value`.
    var fields: [String] { self.head.fields.map { "\(self.text($0.name)): \(self.text($0.value))" } }
}

/// A response head that was read, with the bytes that its ranges point into.
struct ReadResponse {
    let head: ResponseHead
    let bytes: [UInt8]

    func text(_ range: ByteRange) -> String { String(decoding: self.bytes[range.range], as: UTF8.self) }
}

/// What the scanner says when it gets the prefixes of `bytes` that end at `cuts`, then all of them. Stops at the first
/// answer that is not `incomplete`, as a connection does.
func scan(
    _ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = HeadLimits(), skipsEmptyLine: Bool = true
) -> (outcome: HeadScanner.Outcome, lines: [ByteRange]) {
    var scanner = HeadScanner(skipsEmptyLine: skipsEmptyLine)
    for cut in cuts + [bytes.count] {
        let outcome = scanner.scan(bytes.span.bytes.extracting(0..<cut), limits: limits)
        if outcome != .incomplete { return (outcome, scanner.lines) }
    }
    return (.incomplete, scanner.lines)
}

/// Scans and reads a request head; nil while it is incomplete.
func readRequest(
    _ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = HeadLimits()
) throws(HTTPProblem) -> ReadRequest? {
    let (outcome, lines) = scan(bytes, cuts: cuts, limits: limits)
    switch outcome {
    case .incomplete:
        return nil
    case .problem(let problem):
        throw problem
    case .complete(let end):
        var head = RequestHead()
        try head.read(bytes.span.bytes, lines: lines, end: end, limits: limits)
        return ReadRequest(head: head, bytes: bytes)
    }
}

func readRequest(_ text: String, limits: HeadLimits = HeadLimits()) throws(HTTPProblem) -> ReadRequest? {
    try readRequest(Array(text.utf8), limits: limits)
}

/// Why a request head is refused; nil when it is accepted or incomplete.
func requestProblem(_ bytes: [UInt8], cuts: [Int] = [], limits: HeadLimits = HeadLimits()) -> HTTPProblem? {
    do throws(HTTPProblem) {
        _ = try readRequest(bytes, cuts: cuts, limits: limits)
        return nil
    } catch {
        return error
    }
}

func requestProblem(_ text: String, limits: HeadLimits = HeadLimits()) -> HTTPProblem? {
    requestProblem(Array(text.utf8), limits: limits)
}

/// Scans and reads a response head; nil while it is incomplete.
func readResponse(
    _ bytes: [UInt8], cuts: [Int] = [], toHead: Bool = false
) throws(HTTPProblem) -> ReadResponse? {
    let (outcome, lines) = scan(bytes, cuts: cuts, skipsEmptyLine: false)
    switch outcome {
    case .incomplete:
        return nil
    case .problem(let problem):
        throw problem
    case .complete(let end):
        var head = ResponseHead()
        try head.read(bytes.span.bytes, lines: lines, end: end, toHead: toHead)
        return ReadResponse(head: head, bytes: bytes)
    }
}

func readResponse(_ text: String, toHead: Bool = false) throws(HTTPProblem) -> ReadResponse? {
    try readResponse(Array(text.utf8), toHead: toHead)
}

func responseProblem(_ bytes: [UInt8], cuts: [Int] = [], toHead: Bool = false) -> HTTPProblem? {
    do throws(HTTPProblem) {
        _ = try readResponse(bytes, cuts: cuts, toHead: toHead)
        return nil
    } catch {
        return error
    }
}

/// One row of a table: bytes, what is expected, and the reason in one sentence.
struct Row<Expected: Sendable>: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let expected: Expected
    let reason: String

    init(_ text: String, _ expected: Expected, _ reason: String) {
        self.bytes = Array(text.utf8)
        self.expected = expected
        self.reason = reason
    }

    init(bytes: [UInt8], _ expected: Expected, _ reason: String) {
        self.bytes = bytes
        self.expected = expected
        self.reason = reason
    }

    var text: String { String(decoding: self.bytes, as: UTF8.self) }
    var testDescription: String { self.reason }
}

/// A whole request head with these field lines after `Host: a`.
func request(_ fields: String..., line: String = "POST / HTTP/1.1") -> String {
    "\(line)\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A whole response head with these field lines.
func response(_ fields: String..., line: String = "HTTP/1.1 200 OK") -> String {
    "\(line)\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// Every byte offset at which `bytes` can be cut in two, and byte by byte at last.
func everyCut(_ bytes: [UInt8]) -> [[Int]] {
    (0..<bytes.count).map { [$0] } + [Array(0..<bytes.count)]
}
