import PosternCore
import Testing

@testable import PosternProxy

@Suite struct ExplainRequestTests {
    struct Bad: CustomTestStringConvertible, Sendable {
        var sentence: String
        var method = "GET"
        var target = "/"
        var headers: [String] = []
        var token: String?
        var claims: String?
        var words: String
        var testDescription: String { self.sentence }
    }

    static let refused: [Bad] = [
        Bad(sentence: "a token and claims", token: "abc", claims: "{}", words: "not both"),
        Bad(sentence: "an empty method", method: "", words: "METHOD is empty"),
        Bad(sentence: "an empty path", target: "", words: "PATH is empty"),
        Bad(sentence: "a path of two lines", target: "/\r\nX: y", words: "PATH has a line break"),
        Bad(sentence: "a method of two lines", method: "GET\n", words: "METHOD has a line break"),
        Bad(sentence: "a header of two lines", headers: ["A: b\r\nC: d"], words: "--header has a line break"),
        Bad(sentence: "a header without a colon", headers: ["A"], words: "'Name: value'"),
        Bad(sentence: "a header without a name", headers: [": a"], words: "'Name: value'"),
        Bad(sentence: "an empty token", token: "", words: "--token is empty"),
        Bad(sentence: "a token of two lines", token: "a\nb", words: "--token has a line break"),
        Bad(sentence: "a token with its scheme", token: "bearer abc", words: "without the word Bearer"),
        Bad(sentence: "claims that are no JSON", claims: "{", words: "not JSON"),
        Bad(sentence: "claims that name one twice", claims: #"{"sub": "a", "sub": "b"}"#, words: "not JSON"),
        Bad(sentence: "claims that are a list", claims: "[]", words: "JSON object"),
    ]

    @Test(arguments: Self.refused)
    func argumentsThatMakeNoRequestAreSaid(row: Bad) {
        #expect {
            try ExplainRequest(
                method: row.method, target: row.target, headers: row.headers, token: row.token, claims: row.claims)
        } throws: { error in
            (error as? ExplainRequest.Problem)?.message.contains(row.words) == true
        }
    }

    @Test func hostIsOfTheURLUnlessOneIsGiven() throws {
        func head(_ target: String, _ headers: [String] = []) throws -> String {
            String(decoding: try ExplainRequest(method: "GET", target: target, headers: headers).bytes, as: UTF8.self)
        }
        #expect(try head("/a") == "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try head("http://a.test:80/b") == "GET http://a.test:80/b HTTP/1.1\r\nHost: a.test:80\r\n\r\n")
        #expect(try head("https://a.test?b") == "GET https://a.test?b HTTP/1.1\r\nHost: a.test\r\n\r\n")
        #expect(try head("/a", ["hOST: x"]) == "GET /a HTTP/1.1\r\nhOST: x\r\n\r\n")
    }

    @Test func tokensOfHeadersAreSecretsToo() throws {
        func secrets(_ header: String) throws -> [String] {
            try ExplainRequest(method: "GET", target: "/", headers: [header]).secrets
        }
        #expect(try secrets("authorization: Bearer abc") == ["abc"])
        #expect(try secrets("Authorization:bearer  abc def") == ["abc", "def"])
        #expect(try secrets("Authorization: Bearer") == [])
    }
}
