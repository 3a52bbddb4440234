import Testing

@testable import PosternCore

@Suite struct SecurityNeedTests {
    /// What `security` says, the rule it becomes, and words of its comment (empty: none).
    static let rows: [(String, String, String)] = [
        ("[]", "public", ""),
        ("[{}]", "public", ""),
        ("null", "authenticated", "silent"),
        ("[{'oauth': []}]", "authenticated", ""),
        ("[{'oauth': ['a']}]", "{scopes: a}", ""),
        ("[{'oidc': ['a', 'b', 'a']}]", "{scopes: [a, b]}", ""),
        ("[{'bearer': []}]", "authenticated", ""),
        ("[{'bearer': ['a']}]", "{scopes: a}", "taken for scopes"),
        ("[{'old': []}]", "authenticated", "taken for a bearer token"),
        ("[{'oauth': ['a']}, {'oauth': ['b']}]", "{any_scope: [a, b]}", ""),
        ("[{'oauth': ['c', 'a']}, {'oauth': ['b', 'c']}]", "{scopes: c, any_scope: [a, b]}", ""),
        ("[{'oauth': ['a']}, {'oauth': ['b', 'a']}]", "{scopes: a}", ""),
        ("[{'oauth': ['a', 'b']}, {'oauth': ['b', 'a']}]", "{scopes: [a, b]}", ""),
        ("[{'oauth': ['a', 'b']}, {'oauth': ['c']}]", "{scopes: [a, b, c]}", "cannot be said here"),
        ("[{'oauth': ['a'], 'oidc': ['b']}]", "{scopes: [a, b]}", ""),
        ("[{'oauth': ['a']}, {'bearer': []}]", "{scopes: a}", "the strictest"),
        ("[{'oauth': []}, {'bearer': []}]", "authenticated", ""),
        ("[{'oauth': ['a']}, {}]", "optional", "without a token"),
        ("[{'key': []}, {}]", "optional", "the API key"),
        ("[{'key': []}]", "deny", "cannot check"),
        ("[{'basic': []}]", "deny", "HTTP \"basic\""),
        ("[{'tls': []}, {'key': []}]", "deny", "a client certificate"),
        ("[{'oauth': ['a'], 'key': []}]", "{scopes: a}", "the service has to"),
        ("[{'oauth': ['a']}, {'key': []}]", "{scopes: a}", "would do by the document"),
        ("[{'oauth': ['a'], 'key': []}, {'oauth': ['b']}]", "{scopes: b}", "would do by the document"),
        ("[{'oauth': ['a b']}]", "deny", "no scope"),
        ("[{'oauth': ['']}]", "deny", "no scope"),
    ]

    @Test(arguments: Self.rows)
    func becomesARule(security: String, rule: String, words: String) throws {
        let route = try #require(try Document.draft(Document.securing(security)).routes.first)
        #expect(Document.line(route) == "GET /x: \(rule)")
        #expect(words.isEmpty ? route.notes.isEmpty : route.notes.joined().contains(words), "\(route.notes)")
        // What import writes, check finds nothing weaker in.
        let need = try #require(try Document.read(Document.securing(security)).get().operations.first).need
        #expect(need.standing(of: route.access) != .weaker)
    }

    @Test func theRootCountsWhereTheOperationSaysNothing() throws {
        let text = Document.text(
            "'security': [{'oauth': ['r']}], 'paths': {'/x': {'get': {}, 'put': {'security': []}}}, \(Document.schemes)"
        )
        #expect(try Document.routes(text) == ["GET /x: {scopes: r}", "PUT /x: public"])
    }

    @Test func silenceHasTheRuleThatWasAskedFor() throws {
        let text = Document.text("'paths': {'/x': {'get': {}}}")
        #expect(try Document.routes(text, silent: .denied) == ["GET /x: deny"])
        #expect(try Document.routes(text, silent: .open) == ["GET /x: public"])
    }

    @Test func bothIsNeverWeakerThanEither() {
        let rules: [Access] = [
            .open, .optional, .denied, .required(Requirement()), .required(Requirement(scopes: ["a"])),
            .required(Requirement(scopes: ["b"], anyScope: ["a", "c"])), .required(Requirement(anyScope: ["b", "d"])),
        ]
        for left in rules {
            for right in rules {
                for scopes in [nil, [], ["a"], ["b"], ["a", "b"], ["b", "c"], ["a", "b", "c", "d"]] as [[String]?] {
                    let both = left.both(right).permits(scopes)
                    #expect(
                        !both || (left.permits(scopes) && right.permits(scopes)), "\(left) \(right) \(scopes ?? [])")
                }
            }
        }
    }
}

extension Access {
    /// Whether a caller with these scopes gets through; nil: one without a token.
    func permits(_ scopes: [String]?) -> Bool {
        switch self {
        case .open, .optional: return true
        case .denied: return false
        case .required(let requirement):
            guard let scopes else { return false }
            return requirement.scopes.allSatisfy(scopes.contains)
                && (requirement.anyScope.isEmpty || requirement.anyScope.contains(where: scopes.contains))
        }
    }
}
