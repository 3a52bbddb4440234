import PosternCore
import Testing

@Suite("Choosing the issuer")
struct IssuerChoiceTests {
    /// 0: keys for `a`; 1: asks about anything; 2: asks about JWTs of `b`; 3: keys for `c`; 4: asks about anything.
    private static let all: [IssuerChoice.Candidate] = [
        .init(issuer: "a", isIntrospected: false), .init(issuer: nil, isIntrospected: true),
        .init(issuer: "b", isIntrospected: true), .init(issuer: "c", isIntrospected: false),
        .init(issuer: nil, isIntrospected: true),
    ]
    private static let named = all.filter { $0.issuer != nil }

    private static func jwt(_ claims: String, header: String = #"{"alg":"ES256"}"#) -> String {
        [header, claims, "signature"].map { Base64URL.encode(Array($0.utf8)) }.joined(separator: ".")
    }

    private func choose(_ token: String, _ candidates: [IssuerChoice.Candidate] = all) -> IssuerChoice {
        IssuerChoice.choose(Array(token.utf8).span.bytes, among: candidates)
    }

    @Test func jwtGoesToTheIssuerThatItNames() throws {
        for (name, index) in [("a", 0), ("c", 3)] {
            let token = Self.jwt(#"{"iss":"\#(name)"}"#)
            let compact = try CompactToken(Array(token.utf8).span.bytes)
            #expect(self.choose(token) == .local(index, compact))
        }
        #expect(self.choose(Self.jwt(#"{"iss":"b"}"#)) == .introspect([2]))
        #expect(self.choose(Self.jwt(#"{"iss":"b"}"#), Self.named) == .introspect([1]))
    }

    /// Tokens that no configured `iss` claims, and why each is refused where nobody takes them.
    @Test(
        arguments: [
            ("opaque", .malformed), ("a.b", .malformed), ("", .malformed), ("...", .malformed), ("a.b.c", .malformed),
            ("a.b.c.d.e", .encrypted), (jwt("{}"), .unknownIssuer), (jwt(#"{"iss":"d"}"#), .unknownIssuer),
            (jwt(#"{"iss":null}"#), .unknownIssuer), (jwt(#"{"iss":["a"]}"#), .unknownIssuer),
            (jwt(#"{"iss":"A"}"#), .unknownIssuer), (jwt(#"{"iss":""}"#), .unknownIssuer),
            // What is not well-formed names nobody, whatever it says.
            (jwt(#"{"iss":"a","iss":"a"}"#), .malformed), (jwt(#"["a"]"#), .malformed),
            ("x." + jwt(#"{"iss":"a"}"#), .malformed),
        ] as [(String, TokenProblem)])
    func anyOtherTokenGoesToThoseWithoutAnIssuer(_ token: String, _ problem: TokenProblem) {
        #expect(self.choose(token) == .introspect([1, 4]))
        #expect(self.choose(token, Self.named) == .refused(problem))
        #expect(self.choose(token, []) == .refused(problem))
    }

    /// A token that cannot be accepted as a JWT and names a configured issuer is that one's all the same: nobody else may
    /// call it good.
    @Test(
        arguments: [
            (jwt(#"{"iss":"a"}"#) + "=", .malformed),
            (jwt(#"{"iss":"a"}"#, header: #"{"alg":"ES256","crit":["x"]}"#), .unsupportedHeader),
            (jwt(#"{"iss":"a"}"#, header: #"{"enc":"A128GCM"}"#), .encrypted),
            (jwt(#"{"iss":"c"}"#, header: "no JSON"), .malformed),
        ] as [(String, TokenProblem)])
    func oddTokenOfANamedIssuerIsNobodyElses(_ token: String, _ problem: TokenProblem) {
        #expect(self.choose(token) == .refused(problem))
        let asked = token.replacing(
            Base64URL.encode(Array(#"{"iss":"a"}"#.utf8)), with: Base64URL.encode(Array(#"{"iss":"b"}"#.utf8)))
        if asked != token { #expect(self.choose(asked) == .introspect([2])) }
    }

    @Test func issuersAreComparedByteForByte() {
        let candidates = [IssuerChoice.Candidate(issuer: "\u{E9}", isIntrospected: true)]
        #expect(self.choose(Self.jwt("{\"iss\":\"\u{E9}\"}"), candidates) == .introspect([0]))
        #expect(self.choose(Self.jwt("{\"iss\":\"e\u{301}\"}"), candidates) == .refused(.unknownIssuer))
    }

    /// Keys decide only on tokens of the issuer that they belong to.
    @Test func keysWithoutAnIssuerTakeNothing() {
        let candidates = [IssuerChoice.Candidate(issuer: nil, isIntrospected: false)]
        #expect(self.choose("opaque", candidates) == .refused(.malformed))
        #expect(self.choose(Self.jwt("{}"), candidates) == .refused(.unknownIssuer))
    }
}
