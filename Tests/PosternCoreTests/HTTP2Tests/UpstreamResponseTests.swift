import PosternCore
import Testing

/// A frame of a response.
private enum Frame {
    case fields([(String, String)], end: Bool)
    case data(String, end: Bool)
}

/// The HTTP/1.1 bytes that frames become, as the codec puts them together.
private func written(_ frames: [Frame], toHead: Bool = false, accept: String? = nil) throws(UpstreamResponseProblem)
    -> String
{
    var response = UpstreamResponse(toHead: toHead, accept: accept.map { Array($0.utf8) })
    var output: [UInt8] = []
    for frame in frames {
        switch frame {
        case .fields(let fields, let end):
            try response.beginFields()
            for (name, value) in fields { try response.add(name, value) }
            try response.endFields(endStream: end, into: &output)
        case .data(let text, let end):
            let (framing, isEnd) = try response.received(text.utf8.count, endStream: end)
            if framing == .chunk, !text.isEmpty { output += Array("\(String(text.utf8.count, radix: 16))\r\n".utf8) }
            output += Array(text.utf8)
            if framing == .chunk, !text.isEmpty { output += Array("\r\n".utf8) }
            if isEnd { output += Array("0\r\n\r\n".utf8) }
        }
    }
    return String(decoding: output, as: UTF8.self)
}

private func problem(_ frames: [Frame], toHead: Bool = false) -> UpstreamResponseProblem? {
    do throws(UpstreamResponseProblem) {
        _ = try written(frames, toHead: toHead)
        return nil
    } catch {
        return error
    }
}

private let ok = (":status", "200")

@Suite struct UpstreamResponseTests {
    @Test("a length that the service gives stands in the head")
    func withLength() throws {
        let text = try written([
            .fields([ok, ("content-type", "text/plain"), ("content-length", "5"), ("x-a", "b c")], end: false),
            .data("he", end: false), .data("llo", end: true),
        ])
        #expect(text == "HTTP/1.1 200 \r\ncontent-type: text/plain\r\nx-a: b c\r\ncontent-length: 5\r\n\r\nhello")
    }

    @Test("without a length content goes in chunks, and an empty last frame ends it")
    func withoutLength() throws {
        let head = "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n"
        #expect(
            try written([.fields([ok], end: false), .data("ab", end: false), .data("", end: true)])
                == head + "2\r\nab\r\n0\r\n\r\n")
        #expect(try written([.fields([ok], end: false), .data("ab", end: true)]) == head + "2\r\nab\r\n0\r\n\r\n")
    }

    @Test("a head that ends the stream has no content, and says so")
    func headAlone() throws {
        #expect(try written([.fields([ok], end: true)]) == "HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n")
        #expect(try written([.fields([(":status", "204")], end: true)]) == "HTTP/1.1 204 \r\n\r\n")
        #expect(
            try written([.fields([(":status", "304"), ("content-length", "9")], end: true)])
                == "HTTP/1.1 304 \r\ncontent-length: 9\r\n\r\n")
        #expect(
            try written([.fields([ok, ("content-length", "9")], end: false), .data("", end: true)], toHead: true)
                == "HTTP/1.1 200 \r\ncontent-length: 9\r\n\r\n")
    }

    @Test("trailers follow the last chunk")
    func trailers() throws {
        let text = try written([
            .fields([ok], end: false), .data("ab", end: false), .fields([("x-sum", "9"), ("x-b", "")], end: true),
        ])
        #expect(text.hasSuffix("\r\n\r\n2\r\nab\r\n0\r\nx-sum: 9\r\nx-b: \r\n\r\n"))
    }

    @Test("trailers have a place where they are announced, or gRPC needs them, even if there is a length")
    func announcedTrailers() throws {
        for announcement in [("trailer", "x-sum"), ("content-type", "application/grpc+proto")] {
            let text = try written([
                .fields([ok, ("content-length", "2"), announcement], end: false), .data("ab", end: false),
                .fields([("grpc-status", "0")], end: true),
            ])
            #expect(text.hasSuffix("transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\ngrpc-status: 0\r\n\r\n"))
            #expect(!text.contains("content-length"))
        }
        let plain = try written([
            .fields([ok, ("content-length", "2")], end: false), .data("ab", end: false),
            .fields([("x-sum", "9")], end: true),
        ])
        #expect(plain == "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nab")
    }

    @Test func interimResponsesComeBefore() throws {
        let text = try written([
            .fields([(":status", "103"), ("link", "</a>")], end: false), .fields([(":status", "100")], end: false),
            .fields([ok], end: true),
        ])
        #expect(
            text
                == "HTTP/1.1 103 \r\nlink: </a>\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n")
    }

    // MARK: - What is no response

    @Test(
        "fields that HTTP/2 or HTTP/1.1 does not allow",
        arguments: [
            ("X-Upper", "a", UpstreamResponseProblem.fieldName), ("", "a", .fieldName), ("a b", "a", .fieldName),
            ("a:", "a", .fieldName), ("a\r\nb", "a", .fieldName), ("é", "a", .fieldName), ("a\0", "a", .fieldName),
            ("a", "b\r\nset-cookie: x", .fieldValue), ("a", "b\nc", .fieldValue), ("a", "b\rc", .fieldValue),
            ("a", "b\0c", .fieldValue), ("a", " b", .fieldValue), ("a", "b\t", .fieldValue),
            ("a", "\u{7F}", .fieldValue),
            ("a", "caf\u{FFFD}", .fieldValue),
            ("connection", "close", .connectionField), ("transfer-encoding", "chunked", .connectionField),
            ("upgrade", "x", .connectionField), ("keep-alive", "x", .connectionField),
            ("proxy-connection", "x", .connectionField), ("te", "trailers", .connectionField),
            (":status", "200", .pseudoHeader), (":path", "/", .pseudoHeader), (":", "x", .pseudoHeader),
            ("content-length", "+1", .contentLength), ("content-length", "1, 1", .contentLength),
            ("content-length", "01", .contentLength), ("content-length", "", .contentLength),
            ("content-length", "9223372036854775808", .contentLength),
        ])
    func badField(_ name: String, _ value: String, _ expected: UpstreamResponseProblem) {
        #expect(problem([.fields([ok, (name, value)], end: false)]) == expected, "\(name): \(value)")
        guard expected != .contentLength else { return }
        let trailer = problem([.fields([ok], end: false), .fields([(name, value)], end: true)])
        #expect(trailer == expected, "as a trailer: \(name): \(value)")
    }

    @Test(arguments: ["20", "2000", "099", "600", "101", "2x0", "", "+20", " 200", "２００"])
    func badStatus(_ status: String) {
        #expect(problem([.fields([(":status", status)], end: true)]) == .status)
    }

    @Test func statusIsThereOnceAndFirst() {
        #expect(problem([.fields([], end: true)]) == .noStatus)
        #expect(problem([.fields([("a", "b"), ok], end: true)]) == .noStatus)
        #expect(problem([.fields([ok, ok], end: true)]) == .pseudoHeader)
        #expect(problem([.fields([ok], end: false), .fields([ok], end: true)]) == .pseudoHeader)
    }

    @Test func framesOutOfPlace() {
        #expect(problem([.data("a", end: false)]) == .unexpectedContent)
        #expect(problem([.fields([(":status", "100")], end: false), .data("a", end: true)]) == .unexpectedContent)
        #expect(problem([.fields([(":status", "100")], end: true)]) == .unexpectedHead)
        #expect(problem([.fields([ok], end: false), .fields([("a", "b")], end: false)]) == .unexpectedHead)
        #expect(problem([.fields([ok], end: true), .fields([("a", "b")], end: true)]) == .unexpectedHead)
    }

    @Test("content has the length that was said, and is not there where there can be none")
    func lengths() {
        let five = [Frame.fields([ok, ("content-length", "5")], end: false)]
        #expect(problem(five + [.data("four", end: true)]) == .contentLength)
        #expect(problem(five + [.data("sixsix", end: false)]) == .contentLength)
        #expect(problem(five + [.data("", end: true)]) == .contentLength)
        #expect(problem(five + [.data("four", end: false), .fields([("a", "b")], end: true)]) == .contentLength)
        #expect(problem([.fields([ok, ("content-length", "5")], end: true)]) == .contentLength)
        #expect(
            problem([.fields([ok, ("content-length", "5"), ("content-length", "5")], end: false)]) == .contentLength)
        #expect(problem(five + [.data("a", end: false)], toHead: true) == .unexpectedContent)
        for status in ["204", "304"] {
            #expect(problem([.fields([(":status", status)], end: false), .data("a", end: true)]) == .unexpectedContent)
        }
    }

    @Test func tooManyFields() {
        let value = String(repeating: "x", count: 1000)
        let fields = [ok] + (0..<70).map { ("a\($0)", value) }
        #expect(problem([.fields(fields, end: true)]) == .tooLarge)
    }

    // MARK: - WebSockets (RFC 8441)

    @Test func aWebSocketIsOpenedWithWhatTheClientWaitsFor() throws {
        let text = try written(
            [.fields([ok, ("sec-websocket-protocol", "x")], end: false), .data("\u{1}raw", end: false)], accept: "KEY")
        #expect(
            text
                == "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Accept: KEY\r\nsec-websocket-protocol: x\r\n\r\n\u{1}raw")
    }

    @Test func aWebSocketThatIsRefusedIsAnOrdinaryResponse() throws {
        let text = try written([.fields([(":status", "403")], end: false), .data("no", end: true)], accept: "KEY")
        #expect(text == "HTTP/1.1 403 \r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n")
    }
}
