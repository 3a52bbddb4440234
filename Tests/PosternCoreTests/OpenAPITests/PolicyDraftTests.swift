import Testing

@testable import PosternCore

@Suite struct PolicyDraftTests {
    @Test func templatesThatAreTheSameAreOneRoute() throws {
        let draft = try Document.draft(Document.paths(["/a/{x}=s", "/a/{y}=t", "/b", "/b?q"]))
        #expect(draft.routes.map(Document.line) == ["GET /a/{x}: {scopes: [s, t]}", "GET /b: public"])
        #expect(draft.routes.allSatisfy { !$0.notes.isEmpty })
    }

    @Test func requestsOfTwoTemplatesHaveTheRulesOfBoth() throws {
        #expect(
            try Document.routes(Document.paths(["/{a}/me=s", "/books/{b}=t"]))
                == ["GET /{a}/me: {scopes: s}", "GET /books/{b}: {scopes: t}", "GET /books/me: {scopes: [s, t]}"])
        #expect(
            try Document.routes(Document.paths(["/{a}/me=s", "/books/{b}=s"]))
                == ["GET /{a}/me: {scopes: s}", "GET /books/{b}: {scopes: s}"], "it does not matter which is meant")
        #expect(
            try Document.routes(Document.paths(["/{a}/me=s", "/books/{b}=t", "/books/me"])).last
                == "GET /books/me: public", "a path without parameters wins")
    }

    @Test func threeTemplatesMeetInOneRequest() throws {
        let routes = try Document.routes(Document.paths(["/{a}/{b}/c=s", "/{a}/b/{c}=t", "/a/{b}/{c}=u"]))
        #expect(routes.count == 7)
        #expect(
            routes.contains { $0.hasPrefix("GET /a/b/c: ") && $0.contains("s") && $0.contains("t") && $0.contains("u") }
        )
    }

    @Test func aRouteDoesNotOpenWhatHasNone() throws {
        let draft = try Document.draft(Document.paths(["/report.{format}=s", "/{page}", "/reports", "/report.pdf"]))
        #expect(
            draft.routes.map(Document.line)
                == ["GET /{page}: {scopes: s}", "GET /reports: public", "GET /report.pdf: public"])
        #expect(draft.skipped.map(\.operation.text) == ["GET /report.{format}"])
    }

    @Test func headIsAnsweredByGetUnlessItIsDeclared() throws {
        let text = Document.text(
            """
            'paths': {'/a/{x}': {'head': {'security': [{'oauth': ['h']}]}, 'get': {'security': []}},
                '/{y}/b': {'get': {'security': [{'oauth': ['g']}]}}}, \(Document.schemes)
            """)
        let routes = try Document.routes(text)
        #expect(routes.contains("HEAD /a/{x}: {scopes: h}"))
        #expect(routes.contains("GET /a/b: {scopes: g}"))
        #expect(routes.contains { $0.hasPrefix("HEAD /a/b: ") && $0.contains("g") && $0.contains("h") })
    }

    @Test func tooManyOverlapsAreRefused() {
        // Every subset of twelve segments may be literal.
        let paths = (0..<12).map { place in
            "/" + (0..<12).map { $0 == place ? "x\($0)" : "{p\($0)}" }.joined(separator: "/") + "=s\(place)"
        }
        #expect(throws: TemplatesOverlap.self) { try Document.draft(Document.paths(paths)) }
    }

    @Test func textIsQuotedAndCommentsStayComments() throws {
        let text = Document.text(
            """
            'paths': {'/a:b/\\u0022': {'get': {'security': [{'oauth': ['x:y', '1', 'true', 'a,b', '${A}']}]}},
                '/b\\nroutes:/{x}.y': {'get': {'security': []}}}, \(Document.schemes)
            """)
        let yaml = try Document.draft(text).yaml(source: "a\nb\u{202E}.json", surroundings: nil)
        #expect(
            yaml == #"""
                # Made by postern import openapi of "a\u{a}b\u{202e}.json" (OpenAPI 3.1.0). 2 operations, 1 route, 1 without a
                # route.
                # A section of proxy.yaml; leave default: deny, so that nothing else is open.

                routes:
                  "GET /a:b/\"": {scopes: [x:y, "1", "true", "a,b", "$${A}"]}
                  # No route for GET /b\u{a}routes:/{x}.y: a parameter of Postern is a whole segment, and "{x}.y" is not

                """#)
    }

    @Test func aWholeFileHasItsSurroundings() throws {
        let draft = try Document.draft(Document.text("'paths': {'/x': {'get': {'security': []}}}"))
        let yaml = draft.yaml(
            source: "d.json",
            surroundings: .init(
                upstream: "http://h:1", issuer: "https://i", audiences: ["a", "b"], keys: "https://i/k"))
        #expect(
            yaml == """
                # Made by postern import openapi of "d.json" (OpenAPI 3.1.0). 1 operation, 1 route.
                version: 1

                upstream: http://h:1
                service: t

                issuers:
                  main:
                    issuer: https://i
                    audiences: [a, b]
                    keys: {url: https://i/k}

                default: deny

                routes:
                  GET /x: public

                """)
    }
}
