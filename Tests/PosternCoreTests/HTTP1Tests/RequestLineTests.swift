import PosternCore
import Testing

@Suite struct RequestLineTests {
    @Test(
        "request lines that are refused",
        arguments: [
            Row("GET /", .malformed(.startLine), "HTTP/0.9 has no version"),
            Row("GET", .malformed(.method), "a method alone"),
            Row("GET ", .malformed(.startLine), "a method and a space"),
            Row("GET HTTP/1.1", .malformed(.startLine), "no target"),
            Row("GET  HTTP/1.1", .malformed(.startLine), "an empty target"),
            Row("GET  / HTTP/1.1", .malformed(.startLine), "two spaces before the target"),
            Row("GET /  HTTP/1.1", .malformed(.startLine), "two spaces after the target"),
            Row("GET / HTTP/1.1 ", .malformed(.startLine), "a space after the version"),
            Row("GET\t/ HTTP/1.1", .malformed(.method), "a tab after the method"),
            Row("GET /\tHTTP/1.1", .malformed(.startLine), "a tab before the version"),
            Row("GET /a\tb HTTP/1.1", .malformed(.startLine), "a tab in the target"),
            Row("GET /a b HTTP/1.1", .malformed(.startLine), "a space in the target"),
            Row("GET / /b HTTP/1.1", .malformed(.startLine), "two targets"),
            Row(" GET / HTTP/1.1", .malformed(.method), "a space before the method"),
            Row("G(T / HTTP/1.1", .malformed(.method), "a delimiter in the method"),
            Row("GÉT / HTTP/1.1", .malformed(.method), "a byte over 0x7F in the method"),
            Row("GET:/ HTTP/1.1", .malformed(.method), "a colon after the method"),
            Row("GET / http/1.1", .malformed(.startLine), "a version in lower case"),
            Row("GET / HTTP/1", .malformed(.startLine), "a version without a minor number"),
            Row("GET / HTTP/11", .malformed(.startLine), "a version without a dot"),
            Row("GET / HTTP/1.10", .malformed(.startLine), "a version with two minor digits"),
            Row("GET / HTTP/01.1", .malformed(.startLine), "a version with a leading zero"),
            Row("GET / HTTP /1.1", .malformed(.startLine), "a space in the version"),
            Row("GET / HTTPS/1.1", .malformed(.startLine), "another protocol's name"),
            Row("GET / XTTP/1.1", .malformed(.startLine), "an unknown protocol"),
            Row("GET / HTTP/1.2", .versionNotSupported, "an unknown minor version"),
            Row("GET / HTTP/2.0", .versionNotSupported, "HTTP/2 as text"),
            Row("PRI * HTTP/2.0", .versionNotSupported, "the HTTP/2 preface"),
            Row("GET / HTTP/0.9", .versionNotSupported, "0.9 written out"),
            Row("GET / HTTP/3.0", .versionNotSupported, "HTTP/3 as text"),
            Row("CONNECT a:443 HTTP/1.1", .methodNotImplemented, "CONNECT"),
            Row("CONNECT a:443 HTTP/1.0", .methodNotImplemented, "CONNECT in the old version"),
            Row("CONNECT / HTTP/1.1", .methodNotImplemented, "CONNECT with a path"),
        ] as [Row<HTTPProblem>])
    func refused(_ row: Row<HTTPProblem>) {
        let bytes = row.bytes + Array("\r\nHost: a\r\n\r\n".utf8)
        for cuts in [[]] + everyCut(bytes) {
            #expect(requestProblem(bytes, cuts: cuts) == row.expected)
        }
    }

    @Test(
        "methods are told apart by case and length",
        arguments: [
            Row("GET", .get, "GET"), Row("HEAD", .head, "HEAD"), Row("POST", .post, "POST"), Row("PUT", .put, "PUT"),
            Row("DELETE", .delete, "DELETE"), Row("PATCH", .patch, "PATCH"), Row("OPTIONS", .options, "OPTIONS"),
            Row("TRACE", .trace, "TRACE"), Row("get", .other, "lower case is another method"),
            Row("Get", .other, "mixed case is another method"), Row("GETT", .other, "a longer token"),
            Row("connect", .other, "lower-case connect is no CONNECT"), Row("PROPFIND", .other, "an extension method"),
            Row("!#$%&'*+-.^_`|~09", .other, "every kind of token character"),
        ] as [Row<PosternCore.Method>])
    func methods(_ row: Row<PosternCore.Method>) throws {
        let read = try #require(try readRequest("\(row.text) /x?y HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(read.head.method == row.expected)
        #expect(read.text(read.head.methodToken) == row.text)
        #expect(read.text(read.head.target) == "/x?y")
        #expect(read.text(read.head.requestLine) == "\(row.text) /x?y HTTP/1.1")
        #expect(read.head.end == read.bytes.count)
    }

    @Test("a method of 64 bytes passes and one of 65 is refused with 501")
    func methodLength() {
        let exact = String(repeating: "M", count: 64)
        #expect(requestProblem("\(exact) / HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
        #expect(requestProblem("\(exact)M / HTTP/1.1\r\nHost: a\r\n\r\n") == .methodNotImplemented)
    }

    @Test(
        "a target of exactly the limit passes and one byte more is 414",
        arguments: ["M", String(repeating: "M", count: 64)])
    func targetLimit(_ method: String) {
        let limits = HeadLimits(target: 100)
        let exact = "/" + String(repeating: "a", count: 99)
        #expect(requestProblem("\(method) \(exact) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits) == nil)
        #expect(requestProblem("\(method) \(exact)a HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits) == .targetTooLong)
    }

    @Test("only a token character of RFC 9110 can be in a method or a field name")
    func tokenCharacters() {
        let others = Set("!#$%&'*+-.^_`|~".utf8)
        for byte in UInt8.min...UInt8.max {
            let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            let isToken = isLetter || (0x30...0x39).contains(byte) || others.contains(byte)
            let method = [UInt8(ascii: "M"), byte, UInt8(ascii: "M")] + Array(" / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            let name = Array("GET / HTTP/1.1\r\nHost: a\r\nX".utf8) + [byte] + Array("X: b\r\n\r\n".utf8)
            #expect((requestProblem(method) == nil) == isToken, "method byte \(byte)")
            // "X:X: b" is the field X.
            #expect((requestProblem(name) == nil) == (isToken || byte == UInt8(ascii: ":")), "name byte \(byte)")
        }
    }
}
