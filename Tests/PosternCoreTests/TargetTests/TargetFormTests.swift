import PosternCore
import Testing

@Suite struct TargetFormTests {
    @Test(
        "the query is delimited and not looked into",
        arguments: [
            ("/x?", ""), ("/x?a=b", "a=b"), ("/x?a=//../%2F%zz;\\", "a=//../%2F%zz;\\"), ("/?/../", "/../"),
            ("/x??", "?"), ("/x?%00%c0%ae", "%00%c0%ae"),
        ])
    func queryIsData(_ target: String, _ query: String) throws {
        let checked = try checkTarget(target).get()
        #expect(checked.hasQuery)
        #expect(text(checked.query, of: target) == query)
        #expect(text(checked.path, of: target) + "?" + query == target)
    }

    @Test func queryDoesNotCountAsEscapes() throws {
        #expect(try checkTarget("/x?%41").get().hasEscapes == false)
    }

    @Test(
        "bytes that no request line may hold are refused in the query",
        arguments: ["/x?a b", "/x?\u{00}", "/x?\r", "/x?a\u{7F}", "/x?caf\u{E9}", "/x?a#b", "/x?\t"])
    func queryBytesAreRefused(_ target: String) {
        #expect(checkTarget(target) == .failure(.malformed))
    }

    @Test(
        "absolute-form with http or https gives authority, path and query",
        arguments: [
            ("http://host/x", "host", "/x", nil), ("HTTPS://Host:8443/x?y", "Host:8443", "/x", "y"),
            ("hTTp://host", "host", "", nil), ("http://host?q", "host", "", "q"),
            ("http://127.0.0.1:80/", "127.0.0.1:80", "/", nil), ("http://[::1]:8080/a/", "[::1]:8080", "/a/", nil),
            ("http://[2001:db8::1]", "[2001:db8::1]", "", nil), ("http://a_b-c.d/", "a_b-c.d", "/", nil),
            ("http://h:0/", "h:0", "/", nil), ("http://h:65535/", "h:65535", "/", nil),
        ] as [(String, String, String, String?)])
    func absoluteForm(_ target: String, _ authority: String, _ path: String, _ query: String?) throws {
        let checked = try checkTarget(target).get()
        #expect(checked.isAbsolute)
        #expect(text(checked.authority, of: target) == authority)
        #expect(text(checked.path, of: target) == path)
        #expect(checked.hasQuery == (query != nil))
        #expect(text(checked.query, of: target) == query ?? "")
    }

    @Test(
        "what is neither origin-form nor a plain absolute-form is malformed",
        arguments: [
            "", "x", "x/y", "host:443", "ftp://host/", "http:/host/", "http://", "http:///x", "http://?x", "https://",
            "http://user@host/", "http://user:pw@host/", "http://host:/", "http://host:65536/", "http://host:000080/",
            "http://host:8o/", "http://host\\@evil/", "http://ho st/", "http://[::1", "http://[]/", "http://[::1]x/",
            "http://[::g]/", "http://h%6Fst/", "http://caf\u{E9}/", "http://host:80:80/", "http://:80/", "**", "*/x",
            "?x", "#", " /x", "/x y", "http://#/", "httpx://h/", "http", "http:/",
        ])
    func otherFormsAreMalformed(_ target: String) {
        #expect(checkTarget(target) == .failure(.malformed))
    }

    @Test func asteriskHasItsOwnProblem() {
        #expect(checkTarget("*") == .failure(.asterisk))
    }

    @Test(
        "the path of an absolute-form is checked like any other",
        arguments: [
            ("http://host/../x", .dotSegment), ("http://host//x", .emptySegment), ("http://host/%2f", .encodedSlash),
            ("http://host#x", .fragment),
        ] as [(String, Ambiguity)])
    func absolutePathsAreChecked(_ target: String, _ ambiguity: Ambiguity) {
        #expect(checkTarget(target) == .failure(.ambiguous(ambiguity)))
    }

    @Test func offsetsAreThoseOfTheGivenBytes() throws {
        let head = "GET /a%41/b?c=d HTTP/1.1\r\n"
        let bytes = Array(head.utf8)
        let checked = try CheckedTarget.check(bytes.span.bytes, ByteRange(4, 15), options: TargetOptions())
        #expect(text(checked.path, of: head) == "/a%41/b")
        #expect(text(checked.query, of: head) == "c=d")
        #expect(checked.hasEscapes)
    }

    @Test func nothingBeyondTheTargetIsRead() throws {
        // The escape would be whole with the bytes behind the target, and the dots would not be a segment.
        let bytes = Array("/%4141/..x".utf8)
        #expect(throws: TargetProblem.ambiguous(.invalidEscape)) {
            try CheckedTarget.check(bytes.span.bytes, ByteRange(0, 3), options: TargetOptions())
        }
        #expect(throws: TargetProblem.ambiguous(.dotSegment)) {
            try CheckedTarget.check(bytes.span.bytes, ByteRange(6, 9), options: TargetOptions())
        }
    }
}
