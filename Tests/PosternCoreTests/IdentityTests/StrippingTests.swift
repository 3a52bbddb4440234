import Testing

@testable import PosternCore

extension IdentityRules {
    /// Whether a header with this name is stripped; `behind` follows the name in the buffer.
    fileprivate func strips(_ name: String, behind: String = ": x\r\n") -> Bool {
        let bytes = Array(("GET" + name + behind).utf8)
        return self.strips(bytes.span.bytes, ByteRange(3, 3 + name.utf8.count))
    }
}

@Suite struct StrippingTests {
    @Test(
        "every spelling of an identity header is stripped",
        arguments: [
            "X-User-Id", "x-user-id", "X-USER-ID", "x_user_id", "X_User-Id", "x-user_id", "X_USER_ID", "X-User-Name",
            "X-User-Roles", "X-User-Scopes", "X-User-Admin", "X-User-Anything", "X-User-", "x_user_", "X-Client-Id",
            "x_client_id", "X-Client_Id", "X-Client-Trusted", "x_client_trusted", "X-Auth-Issuer", "X-Auth-Token",
            "X_AUTH_", "x-auth-x",
        ])
    func identityHeadersAreStripped(_ name: String) {
        #expect(IdentityRules().strips(name))
        #expect(IdentityRules().strips(name, behind: ""))
        #expect(IdentityRules(headers: []).strips(name), "the default names go even where identity: replaces the set")
    }

    @Test(
        "other headers stay",
        arguments: [
            "X-User", "X-Users-Id", "X-Userid", "XX-User-Id", "X-Client", "X-Client-Ids", "X-Client-I", "X-Client-Name",
            "X-Auth", "X-Authority", "X-Forwarded-User", "X-Request-Id", "Accept", "User-Agent", "Host",
            "Authorization", "X",
            "-User-Id", "X--User-Id", "X.User.Id", "XUserId", "X-Use", "x-api-key", "8-user-id", "X-Client^Id",
            "H-User-Id",
            "",
        ])
    func otherHeadersStay(_ name: String) {
        #expect(!IdentityRules().strips(name))
        #expect(!IdentityRules().strips(name, behind: ""))
    }

    @Test("configured names are stripped in every spelling, next to the default ones")
    func configuredNamesAreStripped() {
        let rules = IdentityRules(headers: [
            IdentityHeader(name: "Team_Name", source: .claim(.name("team"))),
            IdentityHeader(name: "subject", source: .user),
        ])
        for name in ["Team-Name", "team_name", "TEAM-NAME", "Subject", "SUBJECT", "X-User-Id", "x_client_id"] {
            #expect(rules.strips(name), "\(name)")
        }
        for name in ["Team", "Team-Names", "Subjects", "Subjec", "Tecm-Name", "Sabject"] {
            #expect(!rules.strips(name), "\(name)")
        }
    }

    @Test("folding and a naive normaliser agree on 50,000 names")
    func agreesWithNaiveNormaliser() {
        let rules = IdentityRules(headers: [
            IdentityHeader(name: "Caller", source: .user), IdentityHeader(name: "a~b^c", source: .user),
            IdentityHeader(name: "X-Tenant", source: .user),
        ])
        let exact: Set<String> = ["caller", "a~b^c", "x-tenant", "x-client-id", "x-client-trusted"]
        func expected(_ name: String) -> Bool {
            let folded = name.lowercased().replacing("_", with: "-")
            return folded.hasPrefix("x-user-") || folded.hasPrefix("x-auth-") || exact.contains(folded)
        }
        var numbers = SeededNumbers(seed: 11)
        let seeds = [
            "X-User-Id", "X-Auth-A", "X-Client-Id", "X-Client-Trusted", "Caller", "a~b^c", "X-Tenant", "Accept",
        ]
        let characters = Array("abcxyzXUSER-_-_~^!.8tnadi")
        var stripped = 0
        for _ in 0..<50_000 {
            var name = Array(numbers.pick(seeds))
            for _ in 0..<Int.random(in: 0...2, using: &numbers) {
                guard !name.isEmpty else { break }
                let place = Int.random(in: name.indices, using: &numbers)
                switch Int.random(in: 0..<5, using: &numbers) {
                case 0: name[place] = numbers.pick(characters)
                case 1: name.remove(at: place)
                case 2: name.insert(numbers.pick(characters), at: place)
                case 3: name[place] = Character(name[place].uppercased())
                default: name[place] = name[place] == "-" ? "_" : name[place]
                }
            }
            let text = String(name)
            #expect(rules.strips(text) == expected(text), "\(text)")
            stripped += rules.strips(text) ? 1 : 0
        }
        #expect(stripped > 15_000 && stripped < 45_000)
    }

    @Test(
        "names that cannot carry identity are refused with a reason",
        arguments: [
            ("", "not a header name"), ("X User", "not a header name"), ("X-User:", "not a header name"),
            ("X-\u{E9}", "not a header name"), ("X\r\nY", "not a header name"), ("Host", "meaning of its own"),
            ("content_length", "meaning of its own"), ("Authorization", "meaning of its own"),
            ("X-Forwarded-For", "meaning of its own"), ("X_Request_Id", "meaning of its own"),
        ])
    func impossibleNames(_ name: String, _ words: String) {
        #expect(IdentityHeader.problem(name: name)?.contains(words) == true)
    }

    @Test func possibleNamesAreNoProblem() {
        for header in IdentityHeader.defaults { #expect(IdentityHeader.problem(name: header.name) == nil) }
        #expect(IdentityHeader.folded("X_User-ID") == "x-user-id")
    }
}
