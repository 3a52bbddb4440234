import PosternCore
import Testing

@Suite struct CheckedTargetTests {
    static let everything = TargetOptions(allowEmptySegments: true, allowEncodedSlash: true, allowSemicolon: true)

    @Test(
        "paths that every server reads alike pass unchanged",
        arguments: [
            "/", "/x", "/x/", "/api/v1/trades", "/a.b", "/a..b", "/...", "/.well-known/jwks.json", "/a/.b/..c/...",
            "/%41", "/%2541", "/%252e%252e/", "/%252f", "/%3B", "/%3b/x", "/a%20b", "/caf%C3%A9", "/caf%c3%a9",
            "/%E2%82%AC", "/%F0%9F%98%80", "/%F4%8F%BF%BF", "/%ED%9F%BF", "/%EE%80%80", "/%C2%A0", "/%DF%BF",
            "/~user/!$&'()*+,=:@", "/{x}|\"<>^`", "/%2e%2e%2e", "/.%2e.", "/%2ehidden", "/x%2e", "/a/%3F%23",
        ])
    func ordinaryPathsPass(_ target: String) throws {
        let checked = try checkTarget(target).get()
        #expect(text(checked.path, of: target) == target)
        #expect(checked.hasEscapes == target.contains("%"))
        #expect(!checked.hasQuery && !checked.isAbsolute && checked.authority.isEmpty)
    }

    @Test(
        "each ambiguity is refused by its name",
        arguments: [
            ("/a%2Fb", .encodedSlash), ("/a%2fb", .encodedSlash), ("/%2F", .encodedSlash),
            ("/a%5Cb", .encodedBackslash), ("/a%5cb", .encodedBackslash), ("/a\\b", .backslash),
            ("/\\", .backslash), ("/%00", .controlCharacter), ("/%0a", .controlCharacter),
            ("/%1F", .controlCharacter), ("/%7f", .controlCharacter), ("/%C2%80", .controlCharacter),
            ("/%c2%9F", .controlCharacter), ("/a\u{01}", .controlCharacter), ("/a\tb", .controlCharacter),
            ("/%", .invalidEscape), ("/%4", .invalidEscape), ("/%zz", .invalidEscape), ("/%4g", .invalidEscape),
            ("/%-1", .invalidEscape), ("/%%41", .invalidEscape), ("/%+1", .invalidEscape), ("/a%?x", .invalidEscape),
            ("/%E2%82%", .invalidEscape), ("/%E2%8", .invalidEscape),
            ("/%c0%ae", .invalidUTF8), ("/%c0%ae%c0%ae/", .invalidUTF8), ("/%c0%af", .invalidUTF8),
            ("/%C1%BF", .invalidUTF8), ("/%e0%80%ae", .invalidUTF8), ("/%E0%9F%BF", .invalidUTF8),
            ("/%ED%A0%80", .invalidUTF8), ("/%ED%BF%BF", .invalidUTF8), ("/%F0%8F%BF%BF", .invalidUTF8),
            ("/%F4%90%80%80", .invalidUTF8), ("/%F5%80%80%80", .invalidUTF8), ("/%FF", .invalidUTF8),
            ("/%80", .invalidUTF8), ("/%E2%82", .invalidUTF8), ("/%E2x", .invalidUTF8), ("/%E2/%82%AC", .invalidUTF8),
            ("/%C3%41", .invalidUTF8), ("/%C3%C3", .invalidUTF8),
            ("/caf\u{E9}", .rawByte), ("/\u{7F}", .rawByte), ("/a#b", .fragment), ("/#", .fragment),
            ("/.", .dotSegment), ("/..", .dotSegment), ("/./x", .dotSegment), ("/../x", .dotSegment),
            ("/x/.", .dotSegment), ("/x/..", .dotSegment), ("/x/./", .dotSegment), ("/x/../y", .dotSegment),
            ("/%2e", .dotSegment), ("/%2E%2e", .dotSegment), ("/.%2e", .dotSegment), ("/%2e.", .dotSegment),
            ("/x/%2E/y", .dotSegment), ("/x/..?y", .dotSegment), ("/x/.%2E?", .dotSegment),
            ("//", .emptySegment), ("//x", .emptySegment), ("/x//", .emptySegment), ("/x//y", .emptySegment),
            ("/api//v1/./trades", .emptySegment), ("/a;b", .semicolon), ("/;", .semicolon), ("/a/b;v=1/c", .semicolon),
            ("/%2e%2e%2f", .dotSegment), ("/..;/x", .dotSegment),
        ] as [(String, Ambiguity)])
    func ambiguousPathsAreRefused(_ target: String, _ ambiguity: Ambiguity) {
        #expect(checkTarget(target) == .failure(.ambiguous(ambiguity)))
    }

    @Test(
        "each option lifts exactly one refusal",
        arguments: [
            (TargetOptions(allowEmptySegments: true), .emptySegment),
            (TargetOptions(allowEncodedSlash: true), .encodedSlash),
            (TargetOptions(allowSemicolon: true), .semicolon),
        ] as [(TargetOptions, Ambiguity)])
    func optionLiftsOne(_ options: TargetOptions, _ lifted: Ambiguity) {
        let examples: [(String, Ambiguity)] = [
            ("/a//b", .emptySegment), ("/a%2Fb", .encodedSlash), ("/a%2fb", .encodedSlash), ("/a;b", .semicolon),
            ("/a%5Cb", .encodedBackslash), ("/a\\b", .backslash), ("/%00", .controlCharacter),
            ("/%zz", .invalidEscape), ("/%c0%ae", .invalidUTF8), ("/\u{E9}", .rawByte), ("/a#", .fragment),
            ("/a/../b", .dotSegment), ("/%2e", .dotSegment),
        ]
        for (target, ambiguity) in examples {
            let expected: TargetProblem? = ambiguity == lifted ? nil : .ambiguous(ambiguity)
            #expect(checkTarget(target, options).problem == expected, "\(target)")
        }
    }

    @Test(
        "a lifted refusal does not open a way to climb",
        arguments: [
            ("/..;/admin", .dotSegment), ("/a/..;x=1/b", .dotSegment), ("/.;a", .dotSegment),
            ("/%2e%2E;/x", .dotSegment), ("/..%2Fadmin", .dotSegment), ("/a%2F..%2fb", .dotSegment),
            ("/a%2f.", .dotSegment), ("/a%2F%2e%2e/b", .dotSegment), ("/a%2F..;b", .dotSegment),
        ] as [(String, Ambiguity)])
    func dotSegmentsAreNeverLifted(_ target: String, _ ambiguity: Ambiguity) {
        #expect(checkTarget(target, Self.everything) == .failure(.ambiguous(ambiguity)))
    }

    @Test func segmentOfParametersAloneCountsAsEmpty() {
        let semicolon = TargetOptions(allowSemicolon: true)
        #expect(checkTarget("/a/;x=1/b", semicolon) == .failure(.ambiguous(.emptySegment)))
        #expect(checkTarget("/a/;x=1/b", Self.everything).problem == nil)
    }

    @Test func everyAmbiguityTellsTheDeveloperOneSentence() {
        for ambiguity in Ambiguity.allCases {
            #expect(ambiguity.detail.hasPrefix("The path has ") && ambiguity.detail.hasSuffix("."))
        }
    }
}

extension Result {
    /// The failure, if it is one.
    var problem: Failure? {
        if case .failure(let problem) = self { problem } else { nil }
    }
}
