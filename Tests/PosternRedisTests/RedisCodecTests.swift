import NIOCore
import Testing

@testable import PosternRedis

@Suite struct RedisEncoderTests {
    private func encoded(_ commands: [[UInt8]]...) -> (String, [Int]) {
        var encoder = RedisEncoder()
        var buffer = ByteBuffer()
        let counts = commands.map { encoder.append($0, to: &buffer) }
        return (String(buffer: buffer), counts)
    }

    @Test func aCommandIsAnArrayOfBulkStrings() {
        let (text, counts) = self.encoded([bytes("SET"), bytes("key"), bytes("väl")])
        #expect(text == "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$4\r\nväl\r\n")
        #expect(counts == [text.utf8.count])
    }

    @Test func commandsFollowEachOther() {
        let (text, counts) = self.encoded([bytes("PING")], [bytes("GET"), bytes("a")])
        #expect(text == "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
        #expect(counts == [14, 20])
    }

    @Test func anArgumentMayBeEmptyAndHaveAnyBytes() {
        let (text, _) = self.encoded([bytes("X"), [], [0, 13, 10], []])
        #expect(text == "*4\r\n$1\r\nX\r\n$0\r\n\r\n$3\r\n\0\r\n\r\n$0\r\n\r\n")
        let (empty, _) = self.encoded([[]])
        #expect(empty == "*1\r\n$0\r\n\r\n")
    }
}

@Suite struct RedisDecoderTests {
    private static let stream =
        "+OK\r\n-WRONGTYPE no such\r\n:-42\r\n$5\r\na\r\nb\0\r\n$-1\r\n$0\r\n\r\n*0\r\n*-1\r\n"
        + "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*1\r\n+in\r\n$-1\r\n+\r\n"
    private static let expected: [RedisReply] = [
        .status("OK"), .error("WRONGTYPE no such"), .integer(-42), .string(bytes("a\r\nb\0")), .null, .string([]),
        .array([]), .null,
        .array([.integer(1), .array([.string(bytes("x")), .array([.status("in")])]), .null]), .status(""),
    ]

    @Test func repliesAreTheSameAtEverySplitPoint() throws {
        let stream = bytes(Self.stream)
        for split in 0...stream.count {
            let read = try replies(in: [Array(stream[..<split]), Array(stream[split...])])
            #expect(read == Self.expected, "split at \(split)")
        }
    }

    @Test func repliesAreTheSameByteByByte() throws {
        #expect(try replies(in: bytes(Self.stream).map { [$0] }) == Self.expected)
    }

    @Test func anUnfinishedReplyIsNone() throws {
        #expect(try replies(in: [bytes("*2\r\n:1\r\n$3\r\nab")]) == [])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "\r\n", "\u{0}", "$abc\r\n", "$-2\r\n", "*-2\r\n", ":\r\n", ":12a\r\n",
        ":99999999999999999999\r\n", "%1\r\n+a\r\n+b\r\n", "*4294967296\r\n", "*999999999999\r\n",
        "$99999999999999999999\r\n",
    ])
    func whatIsNoReplyIsMalformed(text: String) {
        #expect(throws: RedisDecoder.Malformed.self) { try replies(in: [bytes(text)]) }
    }

    @Test func aReplyMayHaveTwoMebibytes() throws {
        let body = [UInt8](repeating: 7, count: RedisLimits.bytes - 64)
        let whole = bytes("$\(body.count)\r\n") + body + bytes("\r\n+next\r\n")
        #expect(try replies(in: chunks(of: whole)) == [.string(body), .status("next")])
    }

    @Test func aLargerReplyEndsItBeforeItIsThere() throws {
        let decoder = RedisDecoder()
        try decoder.feed(bytes("$1000000000\r\n").span.bytes)
        let chunk = [UInt8](repeating: 7, count: 64 * 1024)
        var fed = 0
        #expect(throws: RedisDecoder.Malformed.self) {
            while fed < 4 * RedisLimits.bytes {
                try decoder.feed(chunk.span.bytes)
                fed += chunk.count
                _ = try decoder.next()
            }
        }
        #expect(fed <= RedisLimits.bytes + 2 * chunk.count)
    }

    @Test func manyPartsTogetherAreHeldToTheSameLimit() {
        let part = bytes("$65000\r\n") + [UInt8](repeating: 7, count: 65000) + bytes("\r\n")
        let stream = bytes("*1000\r\n") + [[UInt8]](repeating: part, count: 40).flatMap { $0 }
        #expect(throws: RedisDecoder.Malformed.self) { try replies(in: chunks(of: stream)) }
    }

    @Test func elementsAreCounted() throws {
        let count = RedisLimits.elements
        #expect(throws: RedisDecoder.Malformed.self) { try replies(in: [bytes("*\(count + 1)\r\n")]) }
        // The count alone takes no memory, and is no reason to give up.
        #expect(try replies(in: [bytes("*\(count)\r\n:1\r\n")]) == [])
        let nested = "*2\r\n*\(count / 2)\r\n" + String(repeating: "*0\r\n", count: count / 2) + "*\(count / 2)\r\n"
        let rest = String(repeating: "*0\r\n", count: count / 2)
        #expect(throws: RedisDecoder.Malformed.self) { try replies(in: chunks(of: bytes(nested + rest))) }
    }

    @Test func arraysMayBeSevenDeep() throws {
        let fine = String(repeating: "*1\r\n", count: RedisLimits.depth) + ":1\r\n"
        var expected = RedisReply.integer(1)
        for _ in 0..<RedisLimits.depth { expected = .array([expected]) }
        #expect(try replies(in: [bytes(fine)]) == [expected])
        #expect(throws: RedisDecoder.Malformed.self) { try replies(in: [bytes("*1\r\n" + fine)]) }
        #expect(throws: RedisDecoder.Malformed.self) {
            try replies(in: [bytes(String(repeating: "*1\r\n", count: 1000))])
        }
    }

    /// The counts of one reply are not carried over to the next.
    @Test func everyReplyHasTheLimitsForItself() throws {
        let one = "*1000\r\n" + String(repeating: ":1\r\n", count: 1000)
        let stream = bytes(String(repeating: one, count: 1000))
        #expect(try replies(in: chunks(of: stream)).count == 1000)
    }
}

/// What a decoder reads from pieces of a stream.
private func replies(in pieces: [[UInt8]]) throws -> [RedisReply] {
    let decoder = RedisDecoder()
    var replies: [RedisReply] = []
    for piece in pieces {
        try decoder.feed(piece.span.bytes)
        while let reply = try decoder.next() { replies.append(reply) }
    }
    return replies
}

/// The bytes as a socket hands them over.
private func chunks(of stream: [UInt8]) -> [[UInt8]] {
    stride(from: 0, to: stream.count, by: 16 * 1024).map { Array(stream[$0..<min($0 + 16 * 1024, stream.count)]) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
