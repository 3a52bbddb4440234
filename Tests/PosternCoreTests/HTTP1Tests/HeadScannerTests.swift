import PosternCore
import Testing

@Suite struct HeadScannerTests {
    // MARK: - Shape

    @Test(
        "bytes that no line of a head may hold are refused wherever the head is cut",
        arguments: [
            Row("GET / HTTP/1.1\nHost: a\r\n\r\n", .controlCharacter, "a bare LF after the request line"),
            Row("GET / HTTP/1.1\r\nHost: a\n\r\n", .controlCharacter, "a bare LF after a field line"),
            Row("GET / HTTP/1.1\r\nHost: a\r\n\n", .controlCharacter, "a bare LF for the empty line"),
            Row("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", .controlCharacter, "a bare LF inside a value"),
            Row("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter, "a bare LF before the request line"),
            Row("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn, "a bare CR after the request line"),
            Row("GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", .bareCarriageReturn, "a bare CR inside a value"),
            Row("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", .bareCarriageReturn, "CR CR LF"),
            Row("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", .bareCarriageReturn, "a CR in place of the empty line's LF"),
            Row("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn, "a bare CR before the request line"),
            Row("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter, "NUL in the target"),
            Row("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", .controlCharacter, "NUL in a value"),
            Row("GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n", .controlCharacter, "NUL in a name"),
            Row("GET / HTTP/1.1\r\nX: a\u{7F}\r\n\r\n", .controlCharacter, "DEL in a value"),
            Row("GET / HTTP/1.1\r\nX: a\u{1B}[0m\r\n\r\n", .controlCharacter, "an escape sequence in a value"),
            Row("GET / HTTP/1.1\r\nX: a\u{0B}\r\n\r\n", .controlCharacter, "a vertical tab in a value"),
            Row("GET / HTTP/1.1\r\nX: a\u{0C}\r\n\r\n", .controlCharacter, "a form feed in a value"),
            Row("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .emptyLines, "two empty lines before the request line"),
            Row("\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter, "an LF after the one empty line"),
        ] as [Row<HTTPProblem.Malformation>])
    func forbiddenBytesAreRefused(_ row: Row<HTTPProblem.Malformation>) {
        for cuts in [[]] + everyCut(row.bytes) {
            #expect(scan(row.bytes, cuts: cuts).outcome == .problem(.malformed(row.expected)), "cut at \(cuts)")
        }
    }

    @Test("each of the 33 control characters but the tab is refused at every offset of a word")
    func everyControlCharacterIsRefused() {
        for byte in Array(0..<UInt8(0x20)) + [0x7F] where byte != UInt8(ascii: "\t") {
            for offset in 0..<17 {
                var bytes = Array("GET / HTTP/1.1\r\nX: ".utf8)
                bytes += Array(repeating: UInt8(ascii: "x"), count: offset)
                bytes += [byte] + Array("yyyyyyyyyyyyyyyyyyy\r\n\r\n".utf8)
                guard case .problem(.malformed) = scan(bytes).outcome else {
                    Issue.record("byte \(byte) at offset \(offset) passed")
                    continue
                }
            }
        }
    }

    @Test("every other byte passes inside a value at every offset of a word")
    func everyOtherBytePasses() {
        for byte in Array(UInt8(0x20)...0xFF) + [UInt8(ascii: "\t")] where byte != 0x7F {
            for offset in 0..<9 {
                var bytes = Array("GET / HTTP/1.1\r\nX: ".utf8)
                bytes += Array(repeating: 0xFF, count: offset) + [byte] + Array("\r\n\r\n".utf8)
                #expect(scan(bytes).outcome == .complete(end: bytes.count), "byte \(byte) at offset \(offset)")
            }
        }
    }

    @Test("one empty line before a request is skipped, at every cut")
    func oneEmptyLineIsSkipped() {
        let bytes = Array("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let (outcome, lines) = scan(bytes, cuts: cuts)
            #expect(outcome == .complete(end: bytes.count))
            #expect(lines == [ByteRange(2, 16), ByteRange(18, 25)])
        }
    }

    @Test("no empty line is skipped before a response")
    func noEmptyLineBeforeResponse() {
        let bytes = Array("\r\nHTTP/1.1 200 OK\r\n\r\n".utf8)
        #expect(scan(bytes, skipsEmptyLine: false).outcome == .problem(.malformed(.emptyLines)))
    }

    @Test("a head ends at its own empty line, whatever follows")
    func pipelinedBytesAreLeft() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(scan(Array((head + head).utf8)).outcome == .complete(end: head.utf8.count))
        #expect(scan(Array((head + "\0\n\r").utf8)).outcome == .complete(end: head.utf8.count))
    }

    @Test("every proper prefix of a head is incomplete")
    func prefixesAreIncomplete() {
        let bytes = Array("GET /a HTTP/1.1\r\nHost: a\r\nX:\t b\t\r\n\r\n".utf8)
        for count in 0..<bytes.count {
            #expect(scan(Array(bytes[..<count])).outcome == .incomplete, "\(count) bytes")
        }
    }

    @Test("a scan that is resumed at any two cuts finds the same lines as one scan")
    func resumedScansAgree() {
        let bytes = Array("POST /a?b HTTP/1.1\r\nHost: a\r\nX:\r\nContent-Length: 3\r\n\r\nabc".utf8)
        let whole = scan(bytes)
        #expect(whole.outcome == .complete(end: bytes.count - 3))
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let cut = scan(bytes, cuts: [first, second])
                #expect(cut.outcome == whole.outcome && cut.lines == whole.lines, "cut at \(first) and \(second)")
            }
        }
    }

    @Test("a scanner that was reset reads the next head as a new one does")
    func resetScannerStartsAfresh() {
        var scanner = HeadScanner()
        let broken = Array("GET / HTTP/1.1\r\nHost: a\r\nX: \0".utf8)
        #expect(scanner.scan(broken.span.bytes, limits: HeadLimits()) == .problem(.malformed(.controlCharacter)))
        scanner.reset()
        let bytes = Array("GET /b HTTP/1.1\r\n\r\n".utf8)
        #expect(scanner.scan(bytes.span.bytes, limits: HeadLimits()) == .complete(end: bytes.count))
        #expect(scanner.lines == [ByteRange(0, 15)])
    }

    // MARK: - Limits, exactly and one over

    @Test("a head of exactly the limit passes and one byte more is refused, at every cut")
    func headLimitIsExact() {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: bcdef\r\n\r\n".utf8)
        let exact = HeadLimits(head: bytes.count)
        let over = HeadLimits(head: bytes.count - 1)
        for cuts in [[]] + everyCut(bytes) {
            #expect(scan(bytes, cuts: cuts, limits: exact).outcome == .complete(end: bytes.count))
            #expect(scan(bytes, cuts: cuts, limits: over).outcome == .problem(.headTooLarge))
        }
    }

    @Test("bytes after the head do not count towards its limit")
    func bodyDoesNotCount() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let bytes = Array((head + String(repeating: "x", count: 100)).utf8)
        #expect(scan(bytes, limits: HeadLimits(head: head.utf8.count)).outcome == .complete(end: head.utf8.count))
    }

    @Test("an unfinished head is refused as soon as it is over the limit")
    func endlessHeadIsRefused() {
        let limits = HeadLimits(head: 64)
        let start = "GET / HTTP/1.1\r\nX: "
        let exact = Array((start + String(repeating: "a", count: 64 - start.utf8.count)).utf8)
        #expect(scan(exact, limits: limits).outcome == .incomplete)
        #expect(scan(exact + [UInt8(ascii: "a")], limits: limits).outcome == .problem(.headTooLarge))
    }

    @Test("an unfinished request line is refused as too long a target before the head's limit is reached")
    func endlessTargetIsRefused() {
        let limits = HeadLimits(head: 32 * 1024, target: 100)
        let line = "GET /" + String(repeating: "a", count: 200)
        #expect(scan(Array(line.utf8), limits: limits).outcome == .problem(.targetTooLong))
    }

    @Test("exactly as many fields as the limit pass and one more is refused", arguments: [1, 2, 100])
    func fieldLimitIsExact(_ limit: Int) {
        let start = "GET / HTTP/1.1\r\n"
        let limits = HeadLimits(fields: limit)
        let exact = Array((start + String(repeating: "X: y\r\n", count: limit) + "\r\n").utf8)
        let over = Array((start + String(repeating: "X: y\r\n", count: limit + 1) + "\r\n").utf8)
        #expect(scan(exact, limits: limits).outcome == .complete(end: exact.count))
        #expect(scan(over, limits: limits).outcome == .problem(.headTooLarge))
    }
}
