import PosternCore

/// A head as the scanner delivers it.
struct ScannedHead: Equatable {
    var lines: [ByteRange]
    var end: Int
}

enum ScanResult: Equatable {
    case head(ScannedHead)
    case incomplete
    case refused
}

/// Scans `input` as it arrives when it is cut at `cuts`.
func scanHead(_ input: [UInt8], cuts: [Int], limits: HeadLimits, skipsEmptyLine: Bool) -> ScanResult {
    var scanner = HeadScanner(skipsEmptyLine: skipsEmptyLine)
    for end in cuts + [input.count] {
        switch scanner.scan(input.span.bytes.extracting(0..<end), limits: limits) {
        case .complete(let end): return .head(ScannedHead(lines: scanner.lines, end: end))
        case .problem: return .refused
        case .incomplete: continue
        }
    }
    return .incomplete
}

/// Scans `input` whole and in pieces; which pieces it comes in must not matter.
func scanHead(_ input: [UInt8], limits: HeadLimits, skipsEmptyLine: Bool) -> ScannedHead? {
    let whole = scanHead(input, cuts: [], limits: limits, skipsEmptyLine: skipsEmptyLine)
    let cut = scanHead(input, cuts: input.cuts, limits: limits, skipsEmptyLine: skipsEmptyLine)
    check(whole == cut, "a head is read alike however it is cut")
    if input.count <= 512 {
        let dripped = scanHead(input, cuts: Array(0..<input.count), limits: limits, skipsEmptyLine: skipsEmptyLine)
        check(whole == dripped, "a head is read alike byte by byte")
    }
    guard case .head(let head) = whole else { return nil }
    return head
}

/// A head taken apart in the plainest way, to compare with: it shares no code with the parser.
struct PlainHead {
    var startLine: [UInt8]
    var fields: [(name: String, value: [UInt8])]

    /// `bytes` end with the empty line.
    init(_ bytes: [UInt8]) {
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < bytes.count {
            if bytes[index] == 13, index + 1 < bytes.count, bytes[index + 1] == 10 {
                lines.append([])
                index += 2
            } else {
                lines[lines.count - 1].append(bytes[index])
                index += 1
            }
        }
        self.startLine = lines[0]
        self.fields = lines.dropFirst().filter { !$0.isEmpty }.map { line in
            let parts = line.parts(":", at: 2)
            return (parts[0].lowercased, parts.count > 1 ? parts[1] : [])
        }
    }

    func count(_ name: String) -> Int {
        self.fields.count { $0.name == name }
    }

    /// What no head that the proxy writes may have twice, or together.
    func checkFraming(_ what: String) {
        check(self.count("content-length") <= 1, "\(what) has two Content-Length")
        check(self.count("transfer-encoding") <= 1, "\(what) has two Transfer-Encoding")
        check(
            self.count("content-length") == 0 || self.count("transfer-encoding") == 0,
            "\(what) has Content-Length and Transfer-Encoding")
    }
}
