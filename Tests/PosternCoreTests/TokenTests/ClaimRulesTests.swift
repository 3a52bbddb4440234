import PosternCore
import Testing

@Suite("Claims")
struct ClaimRulesTests {
    private static let now: Double = 1_000_000

    private func judge(
        _ more: String, map: ClaimMap = ClaimMap(), audiences: [String]? = nil, leeway: Double = 0,
        now: Double = Self.now
    ) -> Result<Principal, TokenProblem> {
        let rules = IssuerRules(name: "name", issuer: "i", audiences: audiences, leeway: leeway, claims: map)
        let text = Array(#"{"iss":"i"\#(more.isEmpty ? "" : ",")\#(more)}"#.utf8)
        guard let claims = try? JSONReader.parse(text.span.bytes) else { return .failure(.malformed) }
        do throws(TokenProblem) {
            return .success(try ClaimRules.principal(rules: rules, claims: claims, now: now))
        } catch {
            return .failure(error)
        }
    }

    private func problem(_ result: Result<Principal, TokenProblem>) -> TokenProblem? {
        if case .failure(let problem) = result { problem } else { nil }
    }

    /// exp is over from `exp + leeway` on; at, before and after, whole and with fractions.
    @Test(
        arguments: [
            ("1000001", 0, 1_000_000, nil), ("1000000", 0, 1_000_000, .expired), ("999999", 0, 1_000_000, .expired),
            ("1000000", 0, 999_999.999, nil), ("1000000", 30, 1_000_000, nil), ("1000000", 30, 1_000_029.5, nil),
            ("1000000", 30, 1_000_030, .expired), ("1000000.5", 0, 1_000_000.25, nil),
            ("1000000.5", 0, 1_000_000.5, .expired), ("1e6", 0, 999_999, nil), ("0", 0, 1, .expired),
            ("-5", 30, 0, nil), ("-30", 30, 0, .expired), ("253402300799", 0, 1_000_000, nil),
            ("253402300800", 0, 1_000_000, .malformedClaim), ("-253402300800", 0, 1_000_000, .malformedClaim),
            ("1e308", 0, 1_000_000, .malformedClaim), ("9223372036854775808", 0, 1_000_000, .malformedClaim),
            ("\"1000001\"", 0, 1_000_000, .malformedClaim), ("true", 0, 1_000_000, .malformedClaim),
            ("null", 0, 1_000_000, .missingExpiry), ("[]", 0, 1_000_000, .malformedClaim),
        ] as [(String, Double, Double, TokenProblem?)])
    func expiry(_ value: String, _ leeway: Double, _ now: Double, _ problem: TokenProblem?) {
        #expect(self.problem(self.judge("\"exp\":\(value)", leeway: leeway, now: now)) == problem)
    }

    /// nbf and iat are in time from `value - leeway` on.
    @Test(
        arguments: [
            ("1000000", 0, 1_000_000, true), ("1000000", 0, 999_999.5, false), ("1000000", 30, 999_970, true),
            ("1000000", 30, 999_969.9, false), ("1000000.5", 0, 1_000_000, false), ("-1", 0, 0, true),
            ("null", 0, 0, true),
        ] as [(String, Double, Double, Bool)])
    func beginning(_ value: String, _ leeway: Double, _ now: Double, _ inTime: Bool) {
        let notBefore = self.judge("\"exp\":2000000,\"nbf\":\(value)", leeway: leeway, now: now)
        #expect(self.problem(notBefore) == (inTime ? nil : .notYetValid))
        let issuedAt = self.judge("\"exp\":2000000,\"iat\":\(value)", leeway: leeway, now: now)
        #expect(self.problem(issuedAt) == (inTime ? nil : .issuedInTheFuture))
    }

    @Test func timesOfThePrincipalAreThoseOfTheToken() throws {
        let principal = try self.judge(#""exp":1000001.5,"nbf":5,"iat":7.25"#).get()
        #expect(principal.expiresAt == 1_000_001.5)
        #expect(principal.notBefore == 5)
        #expect(principal.issuedAt == 7.25)
        #expect(principal.deadline(leeway: 30) == 1_000_031_500_000_000)
    }

    @Test(
        arguments: [
            (253_402_300_799, Int64.max), (-253_402_300_799, Int64.min), (0, 0), (1.5, 1_500_000_000),
            (.infinity, Int64.max),
            (.nan, Int64.min),
        ] as [(Double, Int64)])
    func deadlineIsClampedTo64Bits(_ expiry: Double, _ deadline: Int64) {
        #expect(Principal(issuer: "i", expiresAt: expiry).deadline(leeway: 0) == deadline)
    }

    @Test(
        arguments: [
            (#""aud":"a""#, ["a"], nil), (#""aud":["b","a"]"#, ["a"], nil), (#""aud":"b""#, ["a", "b"], nil),
            (#""aud":"b""#, ["a"], .wrongAudience), (#""aud":[]"#, ["a"], .wrongAudience), ("", ["a"], .wrongAudience),
            (#""aud":null"#, ["a"], .wrongAudience), (#""aud":"A""#, ["a"], .wrongAudience),
            (#""aud":"a b""#, ["a"], .wrongAudience),
            (#""aud":"a""#, [], .wrongAudience), (#""aud":1"#, ["a"], .malformedClaim),
            (#""aud":["a",1]"#, ["a"], .malformedClaim),
            (#""aud":{"a":1}"#, nil, .malformedClaim), ("", nil, nil), (#""aud":"z""#, nil, nil),
            // The Kelvin sign is another character, although Swift's String takes it for a K.
            (#""aud":"\u212a""#, ["K"], .wrongAudience),
        ] as [(String, [String]?, TokenProblem?)])
    func audience(_ claim: String, _ audiences: [String]?, _ problem: TokenProblem?) {
        let more = "\"exp\":2000000" + (claim.isEmpty ? "" : ",") + claim
        #expect(self.problem(self.judge(more, audiences: audiences)) == problem)
    }

    @Test(
        arguments: [
            ("", []), (#""scope":"a b""#, ["a", "b"]), (#""scope":" a  b ""#, ["a", "b"]), (#""scope":"""#, []),
            (#""scopes":["a","b c",""]"#, ["a", "b c"]), (#""scp":"a""#, ["a"]), (#""scope":null,"scp":["x"]"#, ["x"]),
            (#""scope":"a","scopes":["b"]"#, ["a"]), (#""scope":"a,b""#, ["a,b"]), (#""scope":"a\tb""#, ["a\tb"]),
            (#""scope":[]"#, []), (#""scope":"","scopes":["b"]"#, []),
        ] as [(String, [String])])
    func scopes(_ claim: String, _ scopes: [String]) throws {
        let more = "\"exp\":2000000" + (claim.isEmpty ? "" : ",") + claim
        #expect(try self.judge(more).get().scopes == scopes)
    }

    @Test(
        arguments: [
            (#""roles":["a","b,c"]"#, ["a", "b,c"]), (#""roles":"a""#, ["a"]), (#""roles":"a, b""#, ["a, b"]),
            (#""roles":"a b""#, ["a b"]), (#""roles":"""#, []), (#""roles":["",""]"#, []), (#""roles":null"#, []),
        ] as [(String, [String])])
    func roles(_ claim: String, _ roles: [String]) throws {
        #expect(try self.judge("\"exp\":2000000,\(claim)").get().roles == roles)
    }

    @Test(arguments: [
        #""scope":1"#, #""scope":true"#, #""scope":{}"#, #""scope":["a",1]"#, #""scope":["a",null]"#,
        #""scope":[["a"]]"#,
        #""roles":1"#, #""roles":{"a":true}"#, #""roles":["a",{}]"#, #""sub":{}"#, #""sub":["a"]"#, #""sub":false"#,
        #""username":[]"#, #""client_id":{}"#, #""jti":[]"#,
    ])
    func claimOfAWrongTypeMakesTheTokenInvalid(_ claim: String) {
        #expect(self.problem(self.judge("\"exp\":2000000,\(claim)")) == .malformedClaim)
    }

    @Test func unmappedClaimsMayBeAnything() {
        #expect(self.problem(self.judge(#""exp":2000000,"azp":"x","foo":[{}],"is_trusted":"yes""#)) == nil)
        // azp is not read where client_id is there.
        #expect(self.problem(self.judge(#""exp":2000000,"client_id":"x","azp":{}"#)) == nil)
    }

    @Test func identifiersAreStringsOrNumbersAsWritten() throws {
        let principal = try self.judge(#""exp":2000000,"sub":42,"username":"u","azp":1.50,"jti":7"#).get()
        #expect(principal.user == "42")
        #expect(principal.name == "u")
        #expect(principal.client == "1.50")
        #expect(principal.tokenID == "7")
        #expect(principal.issuer == "name")
        let nobody = try self.judge(#""exp":2000000,"sub":null"#).get()
        #expect(nobody.user == nil)
        #expect(nobody.name == nil)
        #expect(nobody.client == nil)
        #expect(nobody.tokenID == nil)
    }

    @Test(arguments: [
        ("true", true), ("false", false), ("1", false), (#""true""#, false), ("null", false), ("[true]", false),
        ("{}", false),
    ])
    func adminIsJSONTrueAlone(_ value: String, _ admin: Bool) throws {
        let map = ClaimMap(admin: .name("is_admin"))
        #expect(try self.judge("\"exp\":2000000,\"is_admin\":\(value)", map: map).get().admin == admin)
        #expect(try self.judge("\"exp\":2000000,\"is_admin\":\(value)").get().admin == nil)
        #expect(try self.judge("\"exp\":2000000", map: map).get().admin == false)
    }

    @Test func pointersReachInside() throws {
        let map = ClaimMap(
            scopes: [.name("http://x/y")], roles: [ClaimSelector("/realm_access/roles")],
            user: [ClaimSelector("/users/1/id")],
            admin: ClaimSelector("/a~1b/c~0d"))
        let principal = try self.judge(
            #""exp":2000000,"realm_access":{"roles":["r"]},"users":[{},{"id":"u"}],"a/b":{"c~d":true},"http://x/y":"s""#,
            map: map
        ).get()
        #expect(principal.roles == ["r"])
        #expect(principal.user == "u")
        #expect(principal.scopes == ["s"])
        #expect(principal.admin == true)
    }

    @Test(
        arguments: [
            ("/a/0", "x"), ("/a/1", nil), ("/a/00", nil), ("/a/-1", nil), ("/a/+0", nil), ("/a/-", nil), ("/b", nil),
            ("/a/0/c", nil),
            ("/a/99999999999999999999", nil), ("/", "empty"), ("/s~2", "odd"), ("/t~", "tail"),
        ] as [(String, String?)])
    func pointerThatLeadsNowhereFindsNothing(_ pointer: String, _ found: String?) {
        let claims = JSONValue.object([
            .init(name: "a", value: .array([.string("x")])), .init(name: "", value: .string("empty")),
            .init(name: "s2", value: .string("odd")), .init(name: "t~", value: .string("tail")),
        ])
        #expect(ClaimSelector(pointer).value(in: claims)?.string == found)
    }

    @Test(arguments: [
        #""cnf":{"jkt":"x"}"#, #""cnf":null"#, #""cnf":{}"#, #""cnf":"x""#,
    ])
    func tokenBoundToItsSenderIsRefused(_ claim: String) {
        #expect(self.problem(self.judge("\"exp\":2000000,\(claim)")) == .senderConstrained)
    }

    @Test func issuerIsComparedByteForByte() {
        let rules = IssuerRules(name: "n", issuer: "K\u{E9}", audiences: nil)
        func problem(_ issuer: String) -> TokenProblem? {
            let claims = JSONValue.object([
                .init(name: "iss", value: .string(issuer)), .init(name: "exp", value: JSONValue(2_000_000)),
            ])
            do throws(TokenProblem) {
                _ = try ClaimRules.principal(rules: rules, claims: claims, now: Self.now)
                return nil
            } catch {
                return error
            }
        }
        #expect(problem("K\u{E9}") == nil)
        #expect(problem("Ke\u{301}") == .unknownIssuer)
        #expect(problem("\u{212A}\u{E9}") == .unknownIssuer)
    }

    @Test(arguments: [#"{"exp":2000000}"#, #"{"iss":"i","exp":2000000}"#, #"{"iss":null,"exp":2000000}"#])
    func rulesWithoutAnIssuerAcceptNoClaims(_ text: String) throws {
        let rules = IssuerRules(name: "n", issuer: nil, audiences: nil)
        let claims = try JSONReader.parse(Array(text.utf8).span.bytes)
        #expect(throws: TokenProblem.unknownIssuer) {
            try ClaimRules.principal(rules: rules, claims: claims, now: Self.now)
        }
    }

    @Test func claimsThatAreNoObjectAreMalformed() {
        let rules = IssuerRules(name: "n", issuer: "i", audiences: nil)
        for claims in [JSONValue.null, .array([]), .string("x")] {
            #expect(throws: TokenProblem.malformed) {
                try ClaimRules.principal(rules: rules, claims: claims, now: Self.now)
            }
        }
    }
}
