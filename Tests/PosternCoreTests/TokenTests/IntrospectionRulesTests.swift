import PosternCore
import Testing

@Suite("Rules for introspection answers")
struct IntrospectionRulesTests {
    private static let now: Double = 1_000_000

    private func judge(
        _ text: String, issuer: String? = "i", audiences: [String]? = nil, map: ClaimMap = ClaimMap()
    ) -> Result<Principal, TokenProblem> {
        let rules = IssuerRules(name: "hecate", issuer: issuer, audiences: audiences, leeway: 30, claims: map)
        guard let claims = try? JSONReader.parse(Array(text.utf8).span.bytes) else { return .failure(.badSignature) }
        do throws(TokenProblem) {
            return .success(try IntrospectionRules.principal(rules: rules, claims: claims, now: Self.now))
        } catch {
            return .failure(error)
        }
    }

    private func problem(_ result: Result<Principal, TokenProblem>) -> TokenProblem? {
        if case .failure(let problem) = result { problem } else { nil }
    }

    @Test(
        arguments: [
            ("{}", nil), (#"{"iss":"i"}"#, nil), (#"{"iss":null}"#, nil), (#"{"iss":"j"}"#, .unknownIssuer),
            (#"{"iss":"I"}"#, .unknownIssuer), (#"{"iss":""}"#, .unknownIssuer), (#"{"iss":1}"#, .malformedClaim),
            (#"{"cnf":{}}"#, .senderConstrained), (#"{"cnf":null}"#, .senderConstrained),
            ("[]", .malformed), ("true", .malformed),
            (#"{"exp":1000000}"#, nil), (#"{"exp":999970}"#, .expired), (#"{"exp":999970.5}"#, nil),
            (#"{"exp":null}"#, nil), (#"{"exp":"1000000"}"#, .malformedClaim), (#"{"exp":1e12}"#, .malformedClaim),
            (#"{"nbf":1000030}"#, nil), (#"{"nbf":1000030.5}"#, .notYetValid), (#"{"nbf":true}"#, .malformedClaim),
            (#"{"iat":1000030}"#, nil), (#"{"iat":1000030.5}"#, .issuedInTheFuture), (#"{"iat":{}}"#, .malformedClaim),
            (#"{"token_type":"Bearer"}"#, nil), (#"{"token_type":"bEARER"}"#, nil),
            (#"{"token_type":"access_token"}"#, nil), (#"{"token_type":"Access_Token"}"#, nil),
            (#"{"token_type":null}"#, nil), (#"{"token_type":"refresh_token"}"#, .wrongType),
            (#"{"token_type":"DPoP"}"#, .wrongType), (#"{"token_type":""}"#, .wrongType),
            (#"{"token_type":"Bearer "}"#, .wrongType), (#"{"token_type":"bear\u0065r"}"#, nil),
            (#"{"token_type":["Bearer"]}"#, .malformedClaim), (#"{"sub":[]}"#, .malformedClaim),
            (#"{"scope":7}"#, .malformedClaim),
        ] as [(String, TokenProblem?)])
    func rule(_ claims: String, _ problem: TokenProblem?) {
        #expect(self.problem(self.judge(claims)) == problem)
    }

    @Test(
        arguments: [
            (#"{"aud":"a"}"#, nil), (#"{"aud":["b","a"]}"#, nil), ("{}", .wrongAudience),
            (#"{"aud":null}"#, .wrongAudience), (#"{"aud":[]}"#, .wrongAudience), (#"{"aud":"b"}"#, .wrongAudience),
            (#"{"aud":7}"#, .malformedClaim),
        ] as [(String, TokenProblem?)])
    func audienceIsRequiredWhereItIsConfigured(_ claims: String, _ problem: TokenProblem?) {
        #expect(self.problem(self.judge(claims, audiences: ["a"])) == problem)
        #expect(self.problem(self.judge(claims)) == (problem == .malformedClaim ? problem : nil))
    }

    @Test(
        arguments: [
            ("{}", nil), (#"{"iss":"i"}"#, nil), (#"{"iss":"j"}"#, nil), (#"{"iss":null}"#, nil),
            (#"{"iss":{}}"#, .malformedClaim),
        ] as [(String, TokenProblem?)])
    func whereNoIssuerIsConfiguredAnyIsFine(_ claims: String, _ problem: TokenProblem?) {
        #expect(self.problem(self.judge(claims, issuer: nil)) == problem)
    }

    @Test func withoutAnExpiryThereIsNone() throws {
        let principal = try self.judge(#"{"active":true,"iat":5,"nbf":6.5}"#).get()
        #expect(principal.expiresAt == .infinity)
        #expect(principal.deadline(leeway: 30) == Int64.max)
        #expect(principal.issuedAt == 5)
        #expect(principal.notBefore == 6.5)
        #expect(try self.judge(#"{"exp":1000000.25}"#).get().expiresAt == 1_000_000.25)
    }

    @Test func membersAreMappedAsClaimsAre() throws {
        let map = ClaimMap(
            scopes: [.name("permissions")], roles: [.name("roles")], user: [.name("user_id")],
            name: [.name("username")], admin: .name("is_admin"))
        let text =
            #"{"valid":true,"user_id":42,"username":"u","is_admin":true,"roles":["r"],"permissions":["p","q"],"jti":"j"}"#
        let principal = try self.judge(text, map: map).get()
        #expect(principal.issuer == "hecate")
        #expect(principal.user == "42")
        #expect(principal.name == "u")
        #expect(principal.roles == ["r"])
        #expect(principal.scopes == ["p", "q"])
        #expect(principal.admin == true)
        #expect(principal.tokenID == "j")
        #expect(principal.claims["valid"] == .bool(true))
    }
}
