import PosternCore
import Testing

@Suite struct RequestHeadPropertyTests {
    private static let valid: [[UInt8]] = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST /a/b?c=d HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 12\r\nAccept: */*\r\n\r\n",
        "PUT /x HTTP/1.1\r\nhost:a\r\ntransfer-encoding: Chunked\r\nExpect: 100-continue\r\nX: \ty\t\r\n\r\n",
        "GET http://a/ HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, x\r\n\r\n",
        "DELETE /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer abc.def.ghi\r\nConnection: close\r\nCookie: a=b\r\n\r\n",
    ].map { Array($0.utf8) }

    private static let pieces: [[UInt8]] =
        [
            "\r\n", "\r\n", "\r", "\n", "\0", " ", "\t", ":", ",", "0", "5", "+", "-", "Host: a\r\n", "X: y\r\n",
            "\r\n\r\n",
            "Content-Length: 5\r\n", "Content-Length: 05\r\n", "Content-Length:5,5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\n", "Transfer-Encoding : chunked\r\n", " folded\r\n", "Connection: close\r\n",
            "Connection: host\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "HTTP/1.1", "HTTP/1.0",
            "GET ",
            "x", "X-A: \u{E9}\r\n", ": y\r\n", "Host:a:1\r\n", "close", "CONNECT ", "/",
        ].map { Array($0.utf8) } + [[0x7F], [0x80], [0xFF], [0x01], [0x0B]]

    /// What the parser says, in the oracle's terms.
    private static func verdict(_ bytes: [UInt8], cuts: [Int] = []) -> RequestOracle.Verdict {
        do throws(HTTPProblem) {
            guard let read = try readRequest(bytes, cuts: cuts) else { return .incomplete }
            var result = RequestOracle()
            result.method = read.text(read.head.methodToken)
            result.target = read.text(read.head.target)
            result.minorVersion = Int(read.head.minorVersion)
            result.fields = read.fields
            result.keepAlive = read.head.keepAlive
            result.end = read.head.end
            switch read.head.framing {
            case .none: result.framing = .none
            case .length(let count): result.framing = .length(count)
            case .chunked: result.framing = .chunked
            case .untilClose: return .refused
            }
            return .accepted(result)
        } catch {
            return .refused
        }
    }

    private static func mutated(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &numbers) {
            let at = Int.random(in: 0...bytes.count, using: &numbers)
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0: bytes.insert(UInt8.random(in: 0...255, using: &numbers), at: at)
            case 1: bytes.insert(contentsOf: numbers.pick(Self.pieces), at: at)
            case 2 where at < bytes.count: bytes.remove(at: at)
            case 3 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &numbers)
            case 4 where at < bytes.count: bytes[at] = numbers.pick(Self.pieces)[0]
            default: break
            }
        }
        return bytes
    }

    @Test("the parser and a naive reading agree on 60,000 mutated heads, whole and cut in two", arguments: 0..<6)
    func agreesOnMutatedHeads(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        var accepted = 0
        var refused = 0
        for _ in 0..<10_000 {
            let bytes = Self.mutated(numbers.pick(Self.valid), &numbers)
            let verdict = Self.verdict(bytes)
            let expected = RequestOracle.read(bytes)
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            guard verdict == expected, Self.verdict(bytes, cuts: [cut]) == expected else {
                Issue.record("\(String(decoding: bytes, as: UTF8.self).debugDescription): \(verdict), not \(expected)")
                return
            }
            if case .accepted = verdict { accepted += 1 }
            if verdict == .refused { refused += 1 }
        }
        #expect(accepted > 1_000 && refused > 1_000, "\(accepted) accepted, \(refused) refused")
    }

    @Test("the parser and a naive reading agree on 40,000 heads put together from awkward pieces", arguments: 0..<4)
    func agreesOnAssembledHeads(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(1000 + seed))
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes = Array("POST /x HTTP/1.1\r\nHost: a\r\n".utf8)
            for _ in 0..<Int.random(in: 0..<5, using: &numbers) { bytes += numbers.pick(Self.pieces) }
            bytes += Array("\r\n\r\n".utf8)
            let verdict = Self.verdict(bytes)
            let expected = RequestOracle.read(bytes)
            guard verdict == expected else {
                Issue.record("\(String(decoding: bytes, as: UTF8.self).debugDescription): \(verdict), not \(expected)")
                return
            }
            if case .accepted = verdict { accepted += 1 }
        }
        #expect(accepted > 1_000, "\(accepted) accepted")
    }

    @Test("no accepted head holds a NUL, a bare CR, a bare LF or another control character")
    func acceptedHeadsAreClean() {
        var numbers = SeededNumbers(seed: 4711)
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.mutated(numbers.pick(Self.valid), &numbers)
            guard case .accepted(let head) = Self.verdict(bytes) else { continue }
            accepted += 1
            let text = Array(bytes[..<head.end])
            for (i, byte) in text.enumerated() where byte < 0x20 || byte == 0x7F {
                let isLineEnd =
                    byte == 13 ? i + 1 < text.count && text[i + 1] == 10 : byte == 10 && i > 0 && text[i - 1] == 13
                #expect(isLineEnd || byte == 9, "byte \(byte) at \(i) of \(text)")
            }
        }
        #expect(accepted > 1_000)
    }

    @Test("any bytes at all are an answer, never a trap")
    func arbitraryBytesAreAnswered() {
        var numbers = SeededNumbers(seed: 7)
        var refused = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<40, using: &numbers)
            var bytes: [UInt8] = []
            while bytes.count < count {
                let isPiece = Bool.random(using: &numbers)
                bytes += isPiece ? numbers.pick(Self.pieces) : [UInt8.random(in: 0...255, using: &numbers)]
            }
            if case .refused = Self.verdict(bytes) { refused += 1 }
        }
        #expect(refused > 5_000)
    }

    @Test("small limits refuse and never trap, whatever the head")
    func smallLimits() {
        var numbers = SeededNumbers(seed: 8)
        var kinds: Set<String> = []
        for _ in 0..<10_000 {
            let limits = HeadLimits(
                head: Int.random(in: 0...80, using: &numbers), target: Int.random(in: 0...8, using: &numbers),
                fields: Int.random(in: 0...4, using: &numbers))
            let bytes = numbers.pick(Self.valid)
            let cut = Int.random(in: 0...bytes.count, using: &numbers)
            switch requestProblem(bytes, cuts: [cut], limits: limits) {
            case .headTooLarge?: kinds.insert("head")
            case .targetTooLong?: kinds.insert("target")
            case nil: kinds.insert("accepted")
            default: Issue.record("a valid head is malformed under \(limits)")
            }
        }
        #expect(kinds == ["head", "target", "accepted"])
    }
}
