import Testing

@testable import PosternCore

extension IdentityRules {
    fileprivate func text(for principal: Principal) throws(IdentityProblem) -> String {
        String(decoding: try self.lines(for: principal), as: UTF8.self)
    }
}

/// The value that one header gets; nil where it is not inserted.
private func value(_ source: IdentityHeader.Source, _ principal: Principal) throws -> String? {
    let text = try IdentityRules(headers: [IdentityHeader(name: "H", source: source)]).text(for: principal)
    guard !text.isEmpty else { return nil }
    #expect(text.hasPrefix("H: ") && text.hasSuffix("\r\n"))
    return String(text.dropFirst(3).dropLast())
}

private func claimed(_ value: JSONValue) -> Principal { .caller(claims: [("c", value)]) }

@Suite struct IdentityLinesTests {
    @Test func referenceCallerGivesTheDefaultHeaders() throws {
        let principal = Principal(
            issuer: "permiso", user: "u-1", name: "Ada", client: "mt5-api-service",
            scopes: ["trade:read", "trade:open"],
            roles: ["trader", "auditor"], admin: false,
            claims: .object([.init(name: "is_trusted", value: .bool(true))]), expiresAt: 1)
        #expect(
            try IdentityRules().text(for: principal)
                == "X-User-Id: u-1\r\nX-User-Name: Ada\r\nX-User-Roles: trader,auditor\r\n"
                + "X-User-Scopes: trade:read trade:open\r\nX-User-Admin: false\r\nX-Client-Id: mt5-api-service\r\n"
                + "X-Client-Trusted: true\r\nX-Auth-Issuer: permiso\r\n")
    }

    @Test func callerWithoutValuesGivesTheIssuerAlone() throws {
        let principal = Principal(issuer: "permiso", user: "", name: nil, expiresAt: 1)
        #expect(try IdentityRules().text(for: principal) == "X-Auth-Issuer: permiso\r\n")
        #expect(try IdentityRules(headers: []).text(for: principal) == "")
    }

    @Test func adminIsToldOnlyWhereTheIssuerHasSuchAClaim() throws {
        #expect(try value(.admin, .caller(admin: nil)) == nil)
        #expect(try value(.admin, .caller(admin: false)) == "false")
        #expect(try value(.admin, .caller(admin: true)) == "true")
    }

    @Test(
        "single values are one printable line that reads back unchanged",
        arguments: [
            ("plain", "plain"), ("a b", "a b"), ("a,b", "a,b"), ("100%", "100%25"), ("%41", "%2541"),
            ("caf\u{E9}", "caf%C3%A9"),
            ("\u{1F600}", "%F0%9F%98%80"), (" a", "%20a"), ("a  ", "a%20%20"), ("  ", "%20%20"), (" a b ", "%20a b%20"),
            ("a:b;c\"d\\", "a:b;c\"d\\"), ("~", "~"), ("\u{2028}", "%E2%80%A8"), ("\u{A0}x", "%C2%A0x"),
        ])
    func singleValues(_ text: String, _ expected: String) throws {
        var principal = Principal.caller()
        principal.user = text
        #expect(try value(.user, principal) == expected)
        #expect(try value(.claim(.name("c")), claimed(.string(text))) == expected)
    }

    @Test(
        "list items have their separator encoded",
        arguments: [
            (["a", "b"], "a b", "a,b"), (["a b", "c"], "a%20b c", "a b,c"), (["a,b", "c"], "a,b c", "a%2Cb,c"),
            ([" a ", "b"], "%20a%20 b", "%20a%20,b"), (["a%2Cb"], "a%252Cb", "a%252Cb"), (["", "a", ""], "a", "a"),
            ([""], nil, nil), ([], nil, nil), (["\u{E9}"], "%C3%A9", "%C3%A9"), ([","], ",", "%2C"),
            ([" "], "%20", "%20"),
        ] as [([String], String?, String?)])
    func lists(_ items: [String], _ scopes: String?, _ roles: String?) throws {
        #expect(try value(.scopes, .caller(scopes: items)) == scopes)
        #expect(try value(.roles, .caller(roles: items)) == roles)
        #expect(try value(.claim(.name("c")), claimed(.array(items.map { .string($0) }))) == roles)
    }

    @Test(
        "claims of every JSON type",
        arguments: [
            (.bool(true), "true"), (.bool(false), "false"), (.number("1.50"), "1.50"), (.number("-1e3"), "-1e3"),
            (.number("9007199254740993"), "9007199254740993"), (.null, nil), (.string(""), nil), (.array([]), nil),
            (.object([]), nil), (.object([.init(name: "a", value: .string("b"))]), nil),
            (.array([.string("a"), .number("1"), .bool(true), .null]), "a,1,true"), (.array([.null]), nil),
            (.array([.string("a"), .object([])]), nil), (.array([.string("a"), .array([.string("b")])]), nil),
        ] as [(JSONValue, String?)])
    func claims(_ claim: JSONValue, _ expected: String?) throws {
        #expect(try value(.claim(.name("c")), claimed(claim)) == expected)
        #expect(try value(.claim(.name("other")), claimed(claim)) == nil)
    }

    @Test func claimsAreFoundByPointer() throws {
        let nested = JSONValue.object([.init(name: "roles", value: .array([.string("a"), .string("b")]))])
        #expect(try value(.claim(ClaimSelector("/c/roles")), claimed(nested)) == "a,b")
    }

    @Test(
        "a control character anywhere makes the token invalid",
        arguments: ["\r\nX-User-Admin: true", "a\n", "\u{00}", "a\tb", "\u{7F}", "\u{85}", "\u{9F}", "x\r"])
    func controlCharacters(_ text: String) {
        var user = Principal.caller()
        user.user = text
        for principal in [user, .caller(scopes: ["a", text]), .caller(roles: [text]), .caller(issuer: text)] {
            #expect(throws: IdentityProblem.controlCharacter) { try IdentityRules().lines(for: principal) }
        }
        for claim in [JSONValue.string(text), .array([.string("a"), .string(text)])] {
            #expect(throws: IdentityProblem.controlCharacter) { try value(.claim(.name("c")), claimed(claim)) }
        }
    }

    @Test func valuesThatAreNotInsertedAreNotLookedAt() throws {
        #expect(try IdentityRules().text(for: claimed(.string("\r\n"))) == "X-User-Id: u\r\nX-Auth-Issuer: permiso\r\n")
    }

    @Test func linesMayBeExactlyAsLongAsTheLimit() throws {
        let headers = [IdentityHeader(name: "A", source: .user), IdentityHeader(name: "B", source: .issuer)]
        // "A: u\r\n" and "B: permiso\r\n"
        #expect(try IdentityRules(headers: headers, limit: 18).lines(for: .caller()).count == 18)
        #expect(throws: IdentityProblem.tooLarge) {
            try IdentityRules(headers: headers, limit: 17).lines(for: .caller())
        }
    }

    @Test("whatever the items are, splitting and decoding gives them back")
    func listsRoundTrip() throws {
        var numbers = SeededNumbers(seed: 21)
        let pieces = ["a", "b", " ", ",", "%", "%2C", "%20", "\u{E9}", "\u{1F600}", ";", "=", "\""]
        for _ in 0..<3_000 {
            let items = (0..<Int.random(in: 1...4, using: &numbers)).map { _ in
                (0..<Int.random(in: 1...4, using: &numbers)).map { _ in numbers.pick(pieces) }.joined()
            }
            let roles = try value(.roles, .caller(roles: items)) ?? ""
            let scopes = try value(.scopes, .caller(scopes: items)) ?? ""
            #expect(roles.split(separator: ",").map { decode(Substring($0)) } == items)
            #expect(scopes.split(separator: " ").map { decode(Substring($0)) } == items)
            #expect((roles + scopes).utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        }
    }
}

/// Percent-decodes a text in which every `%` begins an escape.
private func decode(_ text: Substring) -> String {
    let parts = text.split(separator: "%", omittingEmptySubsequences: false)
    var bytes = Array((parts.first ?? "").utf8)
    for part in parts.dropFirst() {
        bytes.append(UInt8(part.prefix(2), radix: 16) ?? 0)
        bytes += Array(part.dropFirst(2).utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
}
