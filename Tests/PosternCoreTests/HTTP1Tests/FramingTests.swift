import PosternCore
import Testing

@Suite struct FramingTests {
    // MARK: - Smuggling

    @Test(
        "framing that two parsers could read differently is refused",
        arguments: [
            Row(request("Content-Length: 5", "Transfer-Encoding: chunked"), .malformed(.lengthAndCoding), "CL.TE"),
            Row(request("Transfer-Encoding: chunked", "Content-Length: 5"), .malformed(.lengthAndCoding), "TE.CL"),
            Row(
                request("Content-Length: 0", "Transfer-Encoding: chunked"), .malformed(.lengthAndCoding),
                "a length of nothing beside a coding"),
            Row(
                request("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .unknownTransferCoding,
                "chunked in two lines"),
            Row(
                request("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), .unknownTransferCoding,
                "TE.TE: a second coding after chunked"),
            Row(
                request("Transfer-Encoding: identity", "Transfer-Encoding: chunked"), .unknownTransferCoding,
                "TE.TE: a first coding before chunked"),
            Row(request("Transfer-Encoding: chunked, chunked"), .unknownTransferCoding, "chunked twice in a list"),
            Row(request("Transfer-Encoding: gzip, chunked"), .unknownTransferCoding, "another coding below chunked"),
            Row(request("Transfer-Encoding: chunked, gzip"), .unknownTransferCoding, "another coding above chunked"),
            Row(request("Transfer-Encoding: chunked,"), .unknownTransferCoding, "a list with an empty item"),
            Row(request("Transfer-Encoding: ,chunked"), .unknownTransferCoding, "a list that begins empty"),
            Row(request("Transfer-Encoding: identity"), .unknownTransferCoding, "identity"),
            Row(request("Transfer-Encoding: xchunked"), .unknownTransferCoding, "a longer word"),
            Row(request("Transfer-Encoding: chunke"), .unknownTransferCoding, "a shorter word"),
            Row(request("Transfer-Encoding: chunked;q=1"), .unknownTransferCoding, "a parameter"),
            Row(request("Transfer-Encoding: \"chunked\""), .unknownTransferCoding, "a quoted coding"),
            Row(request("Transfer-Encoding: 'chunked'"), .unknownTransferCoding, "single quotes"),
            Row(request("Transfer-Encoding:"), .unknownTransferCoding, "an empty coding"),
            Row(request("Transfer-Encoding: cow"), .unknownTransferCoding, "an unknown coding"),
            Row(request("Transfer-Encoding: chun ked"), .unknownTransferCoding, "a space inside"),
            Row(request("Transfer-Encoding: chunKed\u{A0}"), .unknownTransferCoding, "a space that is not ASCII"),
            Row(
                request("Transfer-Encoding: chunked", line: "POST / HTTP/1.0"), .malformed(.codingInOldVersion),
                "a coding in HTTP/1.0"),
            Row(
                request("Transfer-Encoding: chunked", "Content-Length: 5", line: "POST / HTTP/1.0"),
                .malformed(.lengthAndCoding), "both in HTTP/1.0"),
            Row(request("Content-Length: 5", "Content-Length: 5"), .malformed(.contentLength), "the same length twice"),
            Row(request("Content-Length: 5", "Content-Length: 6"), .malformed(.contentLength), "two lengths"),
            Row(request("content-length: 0", "CONTENT-LENGTH: 5"), .malformed(.contentLength), "zero, then a length"),
            Row(request("Content-Length: 5, 5"), .malformed(.contentLength), "a list of one value"),
            Row(request("Content-Length: 5,"), .malformed(.contentLength), "a list with an empty item"),
            Row(request("Content-Length: +5"), .malformed(.contentLength), "a plus sign"),
            Row(request("Content-Length: -5"), .malformed(.contentLength), "a minus sign"),
            Row(request("Content-Length: -0"), .malformed(.contentLength), "minus zero"),
            Row(request("Content-Length: 05"), .malformed(.contentLength), "a leading zero"),
            Row(request("Content-Length: 00"), .malformed(.contentLength), "two zeros"),
            Row(request("Content-Length: 0x5"), .malformed(.contentLength), "hexadecimal"),
            Row(request("Content-Length: 5h"), .malformed(.contentLength), "a letter behind"),
            Row(request("Content-Length: 5.0"), .malformed(.contentLength), "a fraction"),
            Row(request("Content-Length: 5e1"), .malformed(.contentLength), "an exponent"),
            Row(request("Content-Length: 1_0"), .malformed(.contentLength), "an underscore"),
            Row(request("Content-Length: 1 0"), .malformed(.contentLength), "a space inside"),
            Row(request("Content-Length: \"5\""), .malformed(.contentLength), "quotes"),
            Row(request("Content-Length:"), .malformed(.contentLength), "an empty length"),
            Row(request("Content-Length: ٥"), .malformed(.contentLength), "a digit that is not ASCII"),
            Row(request("Content-Length: 9999999999999999999"), .malformed(.contentLength), "19 digits over 2^63"),
            Row(request("Content-Length: 10000000000000000000"), .malformed(.contentLength), "20 digits"),
            Row(
                request("Content-Length: 18446744073709551621"), .malformed(.contentLength),
                "2^64 + 5, which is 5 in 64 bits"),
            Row(
                request("Content-Length: 9223372036854775808"), .malformed(.contentLength), "2^63"),
        ] as [Row<HTTPProblem>])
    func refused(_ row: Row<HTTPProblem>) {
        for cuts in [[]] + everyCut(row.bytes) {
            #expect(requestProblem(row.bytes, cuts: cuts) == row.expected)
        }
    }

    @Test(
        "Connection may not name a field that says where the message goes or ends",
        arguments: [
            "content-length", "Content-Length", "transfer-encoding", "HOST", "close, content-length",
            "x, Transfer-Encoding ,y", ",,host",
        ])
    func connectionNamesFraming(_ value: String) {
        let text = request("Connection: \(value)", "Content-Length: 1")
        #expect(requestProblem(text) == .malformed(.connectionNamesFraming))
        #expect(
            requestProblem(request("Content-Length: 1", "Connection: \(value)")) == .malformed(.connectionNamesFraming))
        #expect(
            requestProblem(request("Connection: close", "Connection: \(value)")) == .malformed(.connectionNamesFraming))
    }

    // MARK: - Accepted framing

    @Test(
        "how a body is delimited",
        arguments: [
            Row(request(), BodyFraming.none, "no framing field is no body"),
            Row(request("Content-Length: 0"), .none, "a length of nothing"),
            Row(request("Content-Length: 5"), .length(5), "a length"),
            Row(request("Content-Length:\t5 "), .length(5), "blanks around a length"),
            Row(request("Content-Length: 9223372036854775807"), .length(.max), "2^63 - 1"),
            Row(request("Content-Length: 5", line: "GET / HTTP/1.1"), .length(5), "a body of GET"),
            Row(request("Content-Length: 5", line: "POST / HTTP/1.0"), .length(5), "a length in HTTP/1.0"),
            Row(request("Transfer-Encoding: chunked"), .chunked, "chunked"),
            Row(request("transfer-ENCODING:CHUNKED \t"), .chunked, "case is ignored"),
            Row(request("Transfer-Encoding: chunked", line: "GET / HTTP/1.1"), .chunked, "a chunked body of GET"),
            Row(
                request("X-Content-Length: 5", "Content-Length-X: 5", "TE: chunked"), .none,
                "names that only look alike"),
            Row(request("Content_Length: 5", "Transfer_Encoding: chunked"), .none, "an underscore makes another name"),
        ] as [Row<BodyFraming>])
    func framing(_ row: Row<BodyFraming>) throws {
        for cuts in [[]] + everyCut(row.bytes) {
            #expect(try #require(try readRequest(row.bytes, cuts: cuts)).head.framing == row.expected)
        }
    }

    // MARK: - Connection

    @Test(
        "whether the client's connection goes on",
        arguments: [
            Row(request(), true, "HTTP/1.1 goes on"),
            Row(request("Connection: close"), false, "close"),
            Row(request("Connection: CLOSE"), false, "case is ignored"),
            Row(request("Connection: x-a, close"), false, "close in a list"),
            Row(request("Connection: ,,\t close ,"), false, "empty items"),
            Row(request("Connection: keep-alive"), true, "keep-alive says what is so"),
            Row(request("Connection: close, keep-alive"), false, "close wins over a later keep-alive"),
            Row(request("Connection: keep-alive, close"), false, "close wins over an earlier keep-alive"),
            Row(request("Connection: close", "Connection: keep-alive"), false, "close wins in two lines"),
            Row(request("Connection: closed"), true, "another word"),
            Row(request("Connection:"), true, "an empty list"),
            Row(request("Proxy-Connection: close"), true, "Proxy-Connection counts for nothing"),
            Row(request(line: "GET / HTTP/1.0"), false, "HTTP/1.0 ends"),
            Row(request("Connection: Keep-Alive", line: "GET / HTTP/1.0"), true, "HTTP/1.0 with keep-alive"),
            Row(request("Connection: keep-alive, close", line: "GET / HTTP/1.0"), false, "HTTP/1.0 with both"),
        ] as [Row<Bool>])
    func keepAlive(_ row: Row<Bool>) throws {
        #expect(try #require(try readRequest(row.text)).head.keepAlive == row.expected)
    }

    @Test(
        "whether Connection names fields beyond the usual ones",
        arguments: [
            Row(request("Connection: close, keep-alive, TE, upgrade, HTTP2-Settings"), false, "the usual ones"),
            Row(request("Connection: x-a"), true, "a field"),
            Row(request("Connection: close, X-User-Id"), true, "an identity field"),
            Row(request("Connection: authorization"), true, "the credential"),
            Row(request("X-Connection: x-a"), false, "another field's name"),
        ] as [Row<Bool>])
    func nominated(_ row: Row<Bool>) throws {
        #expect(try #require(try readRequest(row.text)).head.nominated.isEmpty != row.expected)
    }

    @Test("Connection names at most 100 fields, in one line or several, so that taking them away stays cheap")
    func nominatedLimit() throws {
        func names(_ count: Int) -> String { (0..<count).map { "x\($0)" }.joined(separator: ",") }
        let exact = try #require(try readRequest(request("Connection: close, \(names(100)), te")))
        #expect(exact.head.nominated.count == 100)
        #expect(requestProblem(request("Connection: \(names(101))")) == .headTooLarge)
        #expect(requestProblem(request("Connection: \(names(60))", "Connection: \(names(60))")) == .headTooLarge)
        let answer = Array(response("Connection: \(names(101))", "Content-Length: 0").utf8)
        #expect(responseProblem(answer) == .headTooLarge)
        // Empty items name nothing.
        let commas = String(repeating: ",", count: 5_000)
        #expect(try #require(try readRequest(request("Connection: a\(commas)b"))).head.nominated.count == 2)
    }

    // MARK: - Upgrade and Expect

    @Test(
        "what counts as a wish for another protocol",
        arguments: [
            Row(request("Connection: Upgrade", "Upgrade: websocket"), true, "websocket"),
            Row(request("Upgrade: websocket", "Connection: keep-alive, upgrade"), true, "any order"),
            Row(request("Upgrade: websocket"), false, "not named by Connection"),
            Row(request("Connection: upgrade"), false, "no Upgrade"),
            Row(request("Connection: upgrade", "Upgrade: h2c"), false, "h2c is never spoken"),
            Row(request("Connection: upgrade, http2-settings", "Upgrade: H2C", "HTTP2-Settings: AA"), false, "H2C"),
            Row(request("Connection: upgrade", "Upgrade: h2c, websocket"), true, "another one beside h2c"),
            Row(
                request("Connection: upgrade", "Upgrade: websocket", line: "GET / HTTP/1.0"), false,
                "HTTP/1.0 cannot (RFC 9110 section 7.8)"),
        ] as [Row<Bool>])
    func upgrade(_ row: Row<Bool>) throws {
        #expect(try #require(try readRequest(row.text)).head.upgrade == row.expected)
    }

    @Test(
        "whether the client waits for 100",
        arguments: [
            Row(request("Expect: 100-continue", "Content-Length: 1"), true, "with a length"),
            Row(request("Expect: 100-CONTINUE", "Transfer-Encoding: chunked"), true, "with chunks; case is ignored"),
            Row(request("Expect: 100-continue"), false, "no body to wait with"),
            Row(request("Expect: 100-continue", "Content-Length: 0"), false, "an empty body"),
            Row(
                request("Expect: 100-continue", "Content-Length: 1", line: "POST / HTTP/1.0"), false,
                "HTTP/1.0 knows no 100 (RFC 9110 section 10.1.1)"),
        ] as [Row<Bool>])
    func expectsContinue(_ row: Row<Bool>) throws {
        #expect(try #require(try readRequest(row.text)).head.expectsContinue == row.expected)
    }

    @Test(
        "another expectation is 417",
        arguments: ["200-ok", "", "100-continue, x", "100-continuex", "100", "\"100-continue\""])
    func otherExpectation(_ value: String) {
        #expect(requestProblem(request("Expect: \(value)", "Content-Length: 1")) == .expectationFailed)
    }
}
