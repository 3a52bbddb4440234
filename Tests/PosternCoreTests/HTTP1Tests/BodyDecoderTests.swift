import PosternCore
import Testing

@Suite struct BodyDecoderTests {
    // MARK: - Plain bodies

    @Test("a body of a length ends after exactly so many bytes, at every cut")
    func length() {
        let bytes = Array("hello worldGET / HTTP/1.1".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let body = decode(bytes, .length(11), cuts: cuts)
            #expect(body.text == "hello world")
            #expect(body.end == .complete)
            #expect(body.used == 11)
        }
    }

    @Test("a body of a length that is cut off goes on")
    func truncatedLength() {
        let body = decode(Array("hello".utf8), .length(6))
        #expect(body.text == "hello")
        #expect(body.end == .needMore)
    }

    @Test(
        "no body and a length of nothing are complete before the first byte", arguments: [BodyFraming.none, .length(0)])
    func nothing(_ framing: BodyFraming) {
        let body = decode(Array("next".utf8), framing)
        #expect(body.end == .complete)
        #expect(body.used == 0)
        #expect(BodyDecoder(framing, trailerLimit: 0).isComplete)
        #expect(!BodyDecoder(framing, trailerLimit: 0).endsWithConnection)
    }

    @Test("a body until the end of the connection never completes by itself")
    func untilClose() {
        let bytes = Array("0\r\n\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let body = decode(bytes, .untilClose, cuts: cuts)
            #expect(body.data == bytes)
            #expect(body.end == .needMore)
        }
        let decoder = BodyDecoder(.untilClose, trailerLimit: 0)
        #expect(!decoder.isComplete)
        #expect(decoder.endsWithConnection)
    }

    @Test("the greatest length passes bytes on without overflow")
    func greatestLength() {
        let body = decode(Array("abc".utf8), .length(.max), cuts: [1, 2])
        #expect(body.text == "abc")
        #expect(body.end == .needMore)
    }

    // MARK: - Chunked, accepted

    @Test(
        "chunked bodies that are accepted, at every cut",
        arguments: [
            Row("0\r\n\r\n", "", "the last chunk alone"),
            Row("5\r\nhello\r\n0\r\n\r\n", "hello", "one chunk"),
            Row("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", "two chunks"),
            Row("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", "a lower-case digit"),
            Row("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", "an upper-case digit"),
            Row("005\r\nhello\r\n000\r\n\r\n", "hello", "leading zeros, as the grammar allows"),
            Row("000000000000005\r\nhello\r\n0\r\n\r\n", "hello", "15 digits"),
            Row("5;a\r\nhello\r\n0\r\n\r\n", "hello", "an extension"),
            Row("5;a=b;c=\"d;\"\r\nhello\r\n0;z\r\n\r\n", "hello", "extensions with values, on the last chunk, too"),
            Row("5;\r\nhello\r\n0\r\n\r\n", "hello", "an empty extension"),
            Row("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", "data that looks like framing"),
            Row("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n", "data that looks like the end"),
        ] as [Row<String>])
    func accepted(_ row: Row<String>) {
        let bytes = row.bytes + Array("GET / HTTP/1.1\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            let body = decode(bytes, .chunked, cuts: cuts)
            #expect(body.text == row.expected)
            #expect(body.end == .complete)
            #expect(body.used == row.bytes.count)
            #expect(body.trailers.isEmpty)
        }
    }

    @Test("a chunk extension of 256 bytes with its semicolon passes and one of 257 is refused")
    func extensionLimit() {
        let exact = ";" + String(repeating: "e", count: 255)
        #expect(decode(Array("1\(exact)\r\nx\r\n0\r\n\r\n".utf8), .chunked).text == "x")
        #expect(decode(Array("1\(exact)\r\nx\r\n0\(exact)\r\n\r\n".utf8), .chunked).end == .complete)
        #expect(chunkProblem("1\(exact)e\r\nx\r\n0\r\n\r\n") == .chunkExtension)
        #expect(chunkProblem("0\(exact)e\r\n\r\n") == .chunkExtension)
        #expect(chunkProblem("1\(exact)e", cuts: Array(1..<258)) == .chunkExtension)
    }

    @Test("every proper prefix of a chunked body goes on")
    func prefixesGoOn() {
        let bytes = Array("5;a\r\nhello\r\n0\r\nX: y\r\n\r\n".utf8)
        for count in 0..<bytes.count {
            #expect(decode(Array(bytes[..<count]), .chunked).end == .needMore, "\(count) bytes")
        }
        #expect(decode(bytes, .chunked).end == .complete)
    }

    @Test("an announced chunk of 2^60 - 1 bytes passes data on without overflow")
    func greatestChunk() {
        let body = decode(Array("fffffffffffffff\r\nabc".utf8), .chunked)
        #expect(body.text == "abc")
        #expect(body.end == .needMore)
    }

    // MARK: - Chunked, refused

    @Test(
        "chunked bodies that are refused, at every cut",
        arguments: [
            Row("+5\r\nhello\r\n0\r\n\r\n", .chunkSize, "a plus sign"),
            Row("-5\r\nhello\r\n0\r\n\r\n", .chunkSize, "a minus sign"),
            Row("0x5\r\nhello\r\n0\r\n\r\n", .chunkSize, "0x"),
            Row("5h\r\nhello\r\n0\r\n\r\n", .chunkSize, "a letter that is no digit"),
            Row("5_0\r\nhello\r\n0\r\n\r\n", .chunkSize, "an underscore"),
            Row(" 5\r\nhello\r\n0\r\n\r\n", .chunkSize, "a space before the size"),
            Row("\t5\r\nhello\r\n0\r\n\r\n", .chunkSize, "a tab before the size"),
            Row("5 \r\nhello\r\n0\r\n\r\n", .chunkSize, "a space after the size"),
            Row("5\t\r\nhello\r\n0\r\n\r\n", .chunkSize, "a tab after the size"),
            Row("5 ;a\r\nhello\r\n0\r\n\r\n", .chunkSize, "a space before the extension"),
            Row("\r\n5\r\nhello\r\n0\r\n\r\n", .chunkSize, "an empty line before the size"),
            Row(";a\r\nhello\r\n0\r\n\r\n", .chunkSize, "an extension without a size"),
            Row("5,5\r\nhello\r\n0\r\n\r\n", .chunkSize, "a list"),
            Row("5\0\r\nhello\r\n0\r\n\r\n", .chunkSize, "NUL after the size"),
            Row("\u{FF15}\r\nhello\r\n0\r\n\r\n", .chunkSize, "a digit that is not ASCII"),
            Row("0000000000000005\r\nhello\r\n0\r\n\r\n", .chunkSize, "16 digits"),
            Row("1000000000000000\r\n", .chunkSize, "2^60"),
            Row("ffffffffffffffff\r\n", .chunkSize, "2^64 - 1"),
            Row("10000000000000005\r\nhello\r\n", .chunkSize, "2^64 + 5, which is 5 in 64 bits"),
            Row("100000005\n", .chunkSize, "2^32 + 5 before a bare LF"),
            Row("5\nhello\r\n0\r\n\r\n", .chunkSize, "a bare LF after the size"),
            Row("5;a\nhello\r\n0\r\n\r\n", .chunkExtension, "a bare LF after the extension"),
            Row("5;\n\r\nhello\r\n0\r\n\r\n", .chunkExtension, "a bare LF inside the extension"),
            Row("5;\0\r\nhello\r\n0\r\n\r\n", .chunkExtension, "NUL in the extension"),
            Row("5;a\tb\r\nhello\r\n0\r\n\r\n", .chunkExtension, "a tab in the extension"),
            Row("5;\u{7F}\r\nhello\r\n0\r\n\r\n", .chunkExtension, "DEL in the extension"),
            Row("5\rhello\r\n0\r\n\r\n", .chunkEnd, "a bare CR after the size"),
            Row("5;a\rb\r\nhello\r\n0\r\n\r\n", .chunkEnd, "a bare CR in the extension"),
            Row("5;\"\r\n\"\r\nhello\r\n0\r\n\r\n", .chunkEnd, "a quoted CRLF does not hide the line's end"),
            Row("5\r\r\nhello\r\n0\r\n\r\n", .chunkEnd, "CR CR LF"),
            Row("5\r\nhello\n0\r\n\r\n", .chunkEnd, "a bare LF after the data"),
            Row("5\r\nhello\r0\r\n\r\n", .chunkEnd, "a bare CR after the data"),
            Row("5\r\nhello0\r\n\r\n", .chunkEnd, "nothing after the data"),
            Row("4\r\nhello\r\n0\r\n\r\n", .chunkEnd, "data longer than its size"),
            Row("6\r\nhello\r\n0\r\n\r\n", .chunkEnd, "data shorter than its size"),
            Row("0\r\n\n", .trailer, "a bare LF for the empty line"),
            Row("0\n\r\n", .chunkSize, "a bare LF after the last size"),
        ] as [Row<HTTPProblem.Malformation>])
    func refused(_ row: Row<HTTPProblem.Malformation>) {
        for cuts in [[]] + everyCut(row.bytes) {
            // Where the data itself is the smuggled part, what came before may have been passed on; never what follows.
            #expect(decode(row.bytes, .chunked, cuts: cuts).end == .problem(.malformed(row.expected)), "\(cuts)")
        }
    }
}
