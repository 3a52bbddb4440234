import Testing

@testable import PosternCore

/// The pattern of a key, or the message of its problem.
func parsePattern(_ key: String, _ options: TargetOptions = TargetOptions()) -> Result<
    RoutePattern, RoutePatternProblem
> {
    do throws(RoutePatternProblem) {
        return .success(try RoutePattern.parse(key, options: options))
    } catch {
        return .failure(error)
    }
}

private func literal(_ text: String) -> RoutePattern.Segment { .literal(Array(text.utf8)) }

@Suite struct RoutePatternTests {
    @Test(
        "keys are read into methods and segments",
        arguments: [
            ("GET /", .named(["GET"]), [literal("")]),
            ("GET /health", .named(["GET"]), [literal("health")]),
            ("GET|POST /a/b/", .named(["GET", "POST"]), [literal("a"), literal("b"), literal("")]),
            ("ANY /internal/{rest...}", .any, [literal("internal"), .rest("rest")]),
            ("ANY /{rest...}", .any, [.rest("rest")]),
            ("DELETE /t/{trade_id}/x", .named(["DELETE"]), [literal("t"), .parameter("trade_id"), literal("x")]),
            ("PURGE|M-SEARCH /x", .named(["PURGE", "M-SEARCH"]), [literal("x")]),
            ("GET /caf%C3%A9", .named(["GET"]), [literal("caf\u{E9}")]),
            ("GET /caf\u{E9}", .named(["GET"]), [literal("caf\u{E9}")]),
            ("GET /a%20b", .named(["GET"]), [literal("a b")]),
            ("GET /%7Bx%7D", .named(["GET"]), [literal("{x}")]),
            ("GET /a%3Bb/%25", .named(["GET"]), [literal("a;b"), literal("%")]),
            ("GET /{a}/{b-2}/{_c...}", .named(["GET"]), [.parameter("a"), .parameter("b-2"), .rest("_c")]),
            ("GET /.well-known/x.json", .named(["GET"]), [literal(".well-known"), literal("x.json")]),
            ("get2 /x", .named(["get2"]), [literal("x")]),
        ] as [(String, RoutePattern.Methods, [RoutePattern.Segment])])
    func keysAreRead(_ key: String, _ methods: RoutePattern.Methods, _ segments: [RoutePattern.Segment]) throws {
        let pattern = try parsePattern(key).get()
        #expect(pattern.methods == methods)
        #expect(pattern.segments == segments)
        #expect(pattern.text == key)
    }

    @Test(
        "a key that cannot be meant says what is wrong and what to write",
        arguments: [
            ("", "empty"), ("   ", "empty"), ("/x", "GET /x"), ("GET", "the path is missing"),
            ("GET /x y", "%20"), ("GET | POST /x", "without spaces"), ("get /x", "did you mean GET?"),
            ("Get|POST /x", "did you mean GET?"), ("any /x", "did you mean ANY?"), ("patch /x", "did you mean PATCH?"),
            ("ANY|GET /x", "ANY alone"), ("GET|GET /x", "GET is given twice"), ("GET| /x", "a method is missing"),
            ("|GET /x", "a method is missing"), ("G(T /x", "is not a method"), ("GET, /x", "is not a method"),
            ("G\u{CB}T /x", "is not a method"), ("CONNECT /x", "501"), ("GET x", "write /x"), ("GET {x}", "write /{x}"),
            ("GET http://host/x", "begin with a slash"), ("GET /x?y=z", "never the query"),
            ("GET /{x}/{x}", "x is used twice"), ("GET /{x}/{x...}", "x is used twice"),
            ("GET /{a}b", "whole segment"), ("GET /a{b}", "whole segment"), ("GET /{a}{b}", "whole segment"),
            ("GET /{a", "whole segment"), ("GET /a}", "whole segment"), ("GET /{", "whole segment"),
            ("GET /}", "whole segment"), ("GET /{{a}}", "whole segment"), ("GET /{}", "write {name}"),
            ("GET /{...}", "write {rest...}"), ("GET /{a...}/b", "only stand at the end"),
            ("GET /{1a}", "parameter name"),
            ("GET /{a b}", "%20"), ("GET /{a.b}", "parameter name"), ("GET /{a*}", "parameter name"),
            ("GET /{a..}", "parameter name"), ("GET /{a....}", "parameter name"), ("GET /{\u{E9}}", "parameter name"),
            ("GET /{x\u{301}}", "parameter name"), ("GET /{\u{301}}", "parameter name"),
            ("GET /a/../b", "is refused with 400"), ("GET /./", ". or .. segment"),
            ("GET /%2e%2E/x", ". or .. segment"),
            ("GET /a//b", "paths.empty_segments: allow"), ("GET //", "paths.empty_segments: allow"),
            ("GET /a%2Fb", "paths.encoded_slash: allow"), ("GET /a;b", "paths.semicolon: allow"),
            ("GET /a\\b", "backslash"), ("GET /a%5Cb", "%5C"), ("GET /%00", "control character"),
            ("GET /\u{85}", "control character"), ("GET /a\tb", "control character"), ("GET /%zz", "hexadecimal"),
            ("GET /%c0%ae", "not valid UTF-8"), ("GET /a#b", "%23"),
            ("GET /" + String(repeating: "a/", count: 64), "more than 64 segments"),
        ])
    func impossibleKeysAreErrors(_ key: String, _ hint: String) {
        let message = parsePattern(key).problem?.message
        #expect(message?.contains(hint) == true, "\(key): \(message ?? "no problem")")
    }

    @Test func optionsMakeLiteralsPossible() throws {
        let slash = TargetOptions(allowEncodedSlash: true)
        #expect(try parsePattern("GET /a%2Fb", slash).get().segments == [literal("a/b")])
        let empty = TargetOptions(allowEmptySegments: true)
        #expect(try parsePattern("GET /a//b", empty).get().segments == [literal("a"), literal(""), literal("b")])
        let semicolon = TargetOptions(allowSemicolon: true)
        #expect(try parsePattern("GET /a;b", semicolon).get().segments == [literal("a;b")])
        #expect(parsePattern("GET /..;b", semicolon).problem != nil)
    }

    @Test func textIsSingleSpacedAndParametersAreInOrder() throws {
        let pattern = try parsePattern("  GET|POST    /a/{x}/b/{y...} ").get()
        #expect(pattern.text == "GET|POST /a/{x}/b/{y...}")
        #expect(pattern.parameters == ["x", "y"])
        #expect(pattern.hasRest)
        #expect(try !parsePattern("GET /{x}").get().hasRest)
    }

    @Test func combiningMarkAfterASeparatorDoesNotHideIt() throws {
        let pattern = try parsePattern("GET /a/\u{338}b").get()
        #expect(pattern.segments == [literal("a"), .literal([0xCC, 0xB8, UInt8(ascii: "b")])])
    }
}
