import Testing

@testable import PosternIssuer

@Suite struct FormBodyTests {
    @Test(
        "A form's value of `a`",
        arguments: [
            ("a=1", "1"), ("a=1&b=2", "1"), ("b=2&a=1", "1"), ("a=x+y", "x y"), ("a=x%20y", "x y"), ("a=%C3%A9", "é"),
            ("a=b=c", "b=c"), ("%61=1", "1"), ("a=%26", "&"), ("a=", nil), ("a", nil), ("", nil), ("&&", nil),
            ("a=&a=1", "1"), ("A=1", nil),
        ] as [(String, String?)])
    func form(_ body: String, _ value: String?) throws {
        #expect(try FormBody(form: Array(body.utf8))["a"] == value)
    }

    @Test("A malformed form is refused", arguments: ["a=%", "a=%4", "a=%zz", "a=%C3", "a=%FF", "a=%C0%AE", "%=1"])
    func malformedForm(_ body: String) {
        #expect(throws: OAuthError.invalidRequest("the body is not valid form data")) {
            try FormBody(form: Array(body.utf8))
        }
    }

    @Test(
        "A parameter given twice is refused, also when it is spelled in two ways",
        arguments: [
            "a=1&a=1", "a=1&b=2&a=3", "a=1&%61=2",
        ])
    func repeated(_ body: String) {
        #expect(throws: OAuthError.invalidRequest("a parameter is given twice")) {
            try FormBody(form: Array(body.utf8))
        }
    }

    @Test(
        "A JSON body's value of `a`",
        arguments: [
            ("{\"a\":\"1\"}", "1"), ("{\"a\":\"x y\",\"b\":\"2\"}", "x y"), ("{}", nil), ("{\"a\":\"\"}", nil),
            ("{\"a\":null}", nil),
        ] as [(String, String?)])
    func json(_ body: String, _ value: String?) throws {
        #expect(try FormBody(json: Array(body.utf8))["a"] == value)
    }

    @Test(
        "A malformed JSON body is refused",
        arguments: [
            "", "[]", "\"a\"", "{", "{\"a\":1}", "{\"a\":true}", "{\"a\":[\"b\"]}", "{\"a\":{}}",
            "{\"a\":\"1\",\"a\":\"2\"}",
            "{\"a\":\"\\ud800\"}", "{} x",
        ])
    func malformedJSON(_ body: String) {
        let error = #expect(throws: OAuthError.self) { try FormBody(json: Array(body.utf8)) }
        #expect(error?.code == .invalidRequest)
    }
}
