import Testing

@testable import PosternCore

@Suite("Introspection requests")
struct IntrospectionRequestTests {
    typealias Credentials = IntrospectionRequest.Credentials

    private static let secret = Array(#"s &"é"#.utf8)

    @Test(
        arguments: [
            (.rfc7662, .bearer(Array("key".utf8)), "Bearer key", "token=T&token_type_hint=access_token"),
            (.hecate, .bearer(Array("a-._~+/=:!".utf8)), "Bearer a-._~+/=:!", #"{"token":"T"}"#),
            // "i:%2F+" and "s+%26%22%C3%A9": both parts are encoded before they are joined.
            (
                .rfc7662, .basic(id: "i:/ ", secret: secret), "Basic aSUzQSUyRis6cyslMjYlMjIlQzMlQTk=",
                "token=T&token_type_hint=access_token"
            ),
            (.hecate, .basic(id: "", secret: []), "Basic Og==", #"{"token":"T"}"#),
            (
                .rfc7662, .form(id: "i=&", secret: secret), nil,
                "token=T&token_type_hint=access_token&client_id=i%3D%26&client_secret=s+%26%22%C3%A9"
            ),
        ] as [(IntrospectionDialect, Credentials, String?, String)])
    func request(_ dialect: IntrospectionDialect, _ credentials: Credentials, _ header: String?, _ body: String) throws
    {
        let request = try #require(IntrospectionRequest(dialect: dialect, credentials: credentials))
        #expect(request.authorization == header)
        #expect(
            request.contentType
                == (dialect == .hecate ? "application/json" : "application/x-www-form-urlencoded"))
        let token: [UInt8] = [UInt8(ascii: "T")]
        #expect(String(decoding: request.body(token: token.span.bytes), as: UTF8.self) == body)
    }

    /// No byte of a token can end the value that it stands in.
    @Test func tokenCannotLeaveItsPlace() throws {
        let token = Array("a b&c=d\"\\\n+/~é".utf8)
        let form = try #require(IntrospectionRequest(dialect: .rfc7662, credentials: .bearer([0x61])))
        #expect(
            String(decoding: form.body(token: token.span.bytes), as: UTF8.self)
                == "token=a+b%26c%3Dd%22%5C%0A%2B%2F~%C3%A9&token_type_hint=access_token")
        let object = try #require(IntrospectionRequest(dialect: .hecate, credentials: .bearer([0x61])))
        let body = object.body(token: token.span.bytes)
        #expect(try JSONReader.parse(body.span.bytes)["token"]?.string == "a b&c=d\"\\\n+/~é")
        // What is no text becomes some text, and JSON it stays.
        let odd = object.body(token: ([0xFF, 0x22, 0xC3] as [UInt8]).span.bytes)
        #expect(try JSONReader.parse(odd.span.bytes)["token"]?.string == "\u{FFFD}\"\u{FFFD}")
    }

    /// RFC 6749 appendix B.
    @Test func formEncodingOfTheStandard() {
        #expect(FormEncoding.encode(Array(" %&+£€".utf8)) == Array("+%25%26%2B%C2%A3%E2%82%AC".utf8))
        let plain = Array("AZaz09-._~*".utf8)
        #expect(FormEncoding.encode(plain) == plain)
        #expect(FormEncoding.encode([0, 0x7F, 0xFF]) == Array("%00%7F%FF".utf8))
    }

    /// All lengths of padding, and the one character that can come up and is another in base64url.
    @Test(
        arguments: [("f", "Zjo="), ("fo", "Zm86"), ("foo", "Zm9vOg=="), ("~~~", "fn5+Og=="), ("*.*", "Ki4qOg==")])
    func basicIsPlainBase64(_ id: String, _ encoded: String) throws {
        let request = try #require(
            IntrospectionRequest(dialect: .rfc7662, credentials: .basic(id: id, secret: [])))
        #expect(request.authorization == "Basic " + encoded)
    }

    @Test(arguments: ["", "a b", "a\r\nX: y", "a\u{0}", "é", "a\n", "\t", "\u{7F}"])
    func bearerThatNoHeaderCanHoldIsRefused(_ text: String) {
        #expect(IntrospectionRequest(dialect: .rfc7662, credentials: .bearer(Array(text.utf8))) == nil)
    }

    @Test func limitsOfCredentials() {
        let longest = [UInt8](repeating: 0x61, count: 4096)
        #expect(IntrospectionRequest(dialect: .hecate, credentials: .bearer(longest)) != nil)
        #expect(IntrospectionRequest(dialect: .hecate, credentials: .bearer(longest + [0x61])) == nil)
        // Without a form there is no place for them; in one a secret is any octets.
        #expect(IntrospectionRequest(dialect: .hecate, credentials: .form(id: "i", secret: [0x61])) == nil)
        #expect(IntrospectionRequest(dialect: .rfc7662, credentials: .form(id: "i", secret: [0xFF])) != nil)
    }

    @Test func secretsAreNotShown() throws {
        for credentials in [
            .bearer(Array("hunter2".utf8)), .basic(id: "i", secret: Array("hunter2".utf8)),
            .form(id: "i", secret: Array("hunter2".utf8)),
        ] as [Credentials] {
            let request = try #require(IntrospectionRequest(dialect: .rfc7662, credentials: credentials))
            var dumped = ""
            dump(credentials, to: &dumped)
            dump(request, to: &dumped)
            for text in ["\(credentials)", "\(request)", String(reflecting: credentials), dumped] {
                #expect(!text.contains("hunter2"))
                #expect(!text.contains("104"), "the octets are shown")
                #expect(!text.contains("Basic"))
            }
        }
    }
}
