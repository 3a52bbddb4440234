import Testing

@testable import PosternCore

@Suite struct RouteTableTests {
    static let reference = [
        "GET /health", "GET /api/v1/trades", "POST /api/v1/trades", "DELETE /api/v1/trades/{trade_id}",
        "GET /api/v1/account", "GET /api/v1/account/balance", "GET /api/v1/market/{symbol}", "GET /api/v1/admin/stats",
        "GET /api/v1/users/{user_id}/orders", "ANY /internal/{rest...}",
    ]

    @Test(
        "the reference policy routes as its table says",
        arguments: [
            ("GET /health", "GET /health"), ("HEAD /health", "GET /health"), ("POST /health", "405"),
            ("GET /api/v1/trades", "GET /api/v1/trades"), ("POST /api/v1/trades", "POST /api/v1/trades"),
            ("DELETE /api/v1/trades", "405"), ("DELETE /api/v1/trades/42", "DELETE /api/v1/trades/{trade_id}"),
            ("GET /api/v1/trades/42", "405"), ("GET /api/v1/trades/", "undeclared"),
            ("DELETE /api/v1/trades/42/", "undeclared"), ("GET /api/v1/account/balance", "GET /api/v1/account/balance"),
            ("GET /api/v1/market/EURUSD", "GET /api/v1/market/{symbol}"), ("GET /api/v1/market", "undeclared"),
            ("GET /api/v1/users/7/orders", "GET /api/v1/users/{user_id}/orders"), ("GET /api/v1", "undeclared"),
            ("GET /internal", "undeclared"), ("GET /internal/", "ANY /internal/{rest...}"),
            ("BREW /internal/a/b", "ANY /internal/{rest...}"), ("GET /Health", "undeclared"), ("GET /", "undeclared"),
            ("GET /api/v1/%74rades", "GET /api/v1/trades"), ("GET /health/", "undeclared"), ("get /health", "405"),
            ("OPTIONS /api/v1/account", "405"),
        ])
    func referencePolicy(_ request: String, _ expected: String) throws {
        #expect(try Routes(Self.reference).route(request) == expected)
    }

    @Test(
        "the most specific pattern wins among those that match path and method, whatever the order",
        arguments: [
            (["GET /a/{x}", "POST /a/b"], "GET /a/b", "GET /a/{x}"),
            (["GET /a/{x}", "GET /a/b"], "GET /a/b", "GET /a/b"),
            (["GET /a/{x}", "GET /a/{r...}"], "GET /a/b", "GET /a/{x}"),
            (["GET /a/{x}", "GET /a/{r...}"], "GET /a/", "GET /a/{r...}"),
            (["GET /a/{x}", "GET /a/{r...}"], "GET /a/b/", "GET /a/{r...}"),
            (["GET /a/", "GET /a/{r...}"], "GET /a/", "GET /a/"),
            (["GET /a/b/{r...}", "GET /a/{x}/c"], "GET /a/b/c", "GET /a/b/{r...}"),
            (["GET /{x}/b/c", "GET /a/{y}/d"], "GET /a/b/c", "GET /{x}/b/c"),
            (["GET /{x}/b/c", "GET /a/{y}/c"], "GET /a/b/c", "GET /a/{y}/c"),
            (["ANY /a", "GET /a"], "GET /a", "GET /a"), (["ANY /a", "GET /a"], "HEAD /a", "GET /a"),
            (["ANY /a", "GET /a"], "POST /a", "ANY /a"), (["ANY /a", "GET /a"], "BREW /a", "ANY /a"),
            (["ANY /a", "BREW /a"], "BREW /a", "BREW /a"), (["ANY /a", "BREW /a"], "brew /a", "ANY /a"),
            (["BREW /a"], "brew /a", "405"), (["BREW /a"], "GET /a", "405"),
            (["BREW /a", "TEA /a"], "TEA /a", "TEA /a"),
            (["GET /a", "HEAD /a"], "HEAD /a", "HEAD /a"), (["ANY /a", "HEAD /a"], "HEAD /a", "HEAD /a"),
            (["HEAD /a/{x}", "GET /a/b"], "HEAD /a/b", "GET /a/b"), (["HEAD /a"], "GET /a", "405"),
            (["ANY /a/b", "GET /a/{x}"], "GET /a/b", "ANY /a/b"),
            (["GET /{r...}"], "GET /", "GET /{r...}"), (["GET /{x}"], "GET /", "undeclared"),
            (["GET /"], "GET /", "GET /"), (["POST /{r...}", "GET /a"], "POST /a", "POST /{r...}"),
            (["POST /{r...}", "GET /a"], "PUT /a", "405"),
            (["GET /aaaaaaaa/b", "GET /aaaaaaab/b"], "GET /aaaaaaab/b", "GET /aaaaaaab/b"),
            (["GET /aaaaaaaabbbbbbbbc"], "GET /aaaaaaaabbbbbbbbd", "undeclared"),
            (["GET /aaaaaaaa"], "GET /aaaaaaaaa", "undeclared"), (["GET /aaaaaaaaa"], "GET /aaaaaaaa", "undeclared"),
            (["GET /caf\u{E9}"], "GET /caf%C3%A9", "GET /caf\u{E9}"), (["GET /a%20b"], "GET /a%20b", "GET /a%20b"),
            (["GET /a b-c".replacing(" b", with: "%20b")], "GET /%61%20%62%2D%63", "GET /a%20b-c"),
            (["GET /%2541"], "GET /%2541", "GET /%2541"), (["GET /A"], "GET /%2541", "undeclared"),
            (["GET /A"], "GET /%41", "GET /A"), (["GET /a%3Bb"], "GET /a%3bb", "GET /a%3Bb"),
        ] as [([String], String, String)])
    func specificity(_ keys: [String], _ request: String, _ expected: String) throws {
        #expect(try Routes(keys).route(request) == expected)
        #expect(try Routes(keys.reversed()).route(request) == expected)
    }

    @Test(
        "patterns that are the same but for parameter names are a conflict, by method",
        arguments: [
            (["GET /a", "GET /a"], true), (["GET /a/{x}", "GET /a/{y}"], true), (["GET /{x...}", "GET /{y...}"], true),
            (["ANY /a", "ANY /a"], true), (["GET|POST /a", "POST|PUT /a"], true), (["BREW /a", "BREW|TEA /a"], true),
            (["GET /caf%C3%A9", "GET /caf\u{E9}"], true), (["GET /%61", "GET /a"], true),
            (["GET /a/{x}", "POST /a/{y}"], false), (["ANY /a", "GET /a"], false), (["GET /a", "HEAD /a"], false),
            (["GET /a/{x}", "GET /a/{x...}"], false), (["GET /a", "GET /a/"], false), (["BREW /a", "brew /a"], false),
            (["GET /caf\u{E9}", "GET /cafe\u{301}"], false), (["GET /a", "GET /A"], false),
        ])
    func conflicts(_ keys: [String], _ isConflict: Bool) {
        var found: RouteConflict?
        do { _ = try Routes(["PUT /other"] + keys) } catch { found = error as? RouteConflict }
        #expect(found == (isConflict ? RouteConflict(first: 1, second: 2) : nil))
    }

    @Test(
        "captures hold the path's own bytes, by position",
        arguments: [
            (["GET /a/{x}/b/{y}"], "GET /a/1%20/b/22", ["1%20", "22"]),
            (["GET /a/{r...}"], "GET /a/b/c/", ["b/c/"]), (["GET /a/{r...}"], "GET /a/", [""]),
            (["GET /{x}/b/{r...}", "GET /{x}/{y}/z"], "GET /1/b/z", ["1", "z"]),
            (["GET /{x}/{y}/c", "GET /{x}/{r...}"], "GET /1/2/d", ["1", "2/d"]),
            (["GET /a/{x}/c/{y}", "GET /{p}/b/{q}/e"], "GET /a/b/c/e", ["b", "e"]),
            (["POST /a/{x}/c", "GET /{p...}"], "GET /a/b/c", ["a/b/c"]), (["GET /a"], "GET /a", []),
        ])
    func capturesByPosition(_ keys: [String], _ request: String, _ expected: [String]) throws {
        #expect(try Routes(keys).match(request).captures == expected)
    }

    @Test func reusedCapturesForgetTheLastMatch() throws {
        let routes = try Routes(["GET /{x}/{y}", "GET /plain", "POST /{x}/{y}/{z}"])
        let bytes = Array("/1/2/plain".utf8)
        var captures = Captures(capacity: routes.table.maximumParameters)
        #expect(routes.table.maximumParameters == 3)
        func match(_ start: Int, _ end: Int, _ captures: inout Captures) -> RouteMatch {
            routes.table.match(
                bytes.span.bytes, path: ByteRange(start, end), hasEscapes: false, method: .get, methodToken: .none,
                captures: &captures)
        }
        #expect(match(0, 4, &captures) == .route(0) && captures.count == 2)
        #expect(match(4, 10, &captures) == .route(1) && captures.count == 0)
        #expect(captures.range(of: 0) == .none && captures.range(of: -1) == .none)
        #expect(match(0, 10, &captures) == .methodNotAllowed && captures.count == 0)
    }

    @Test func emptyPathIsTheRoot() throws {
        let routes = try Routes(["GET /", "GET /{x}"])
        #expect(routes.match("GET ").match == .route(0))
        #expect(routes.match("GET ", padding: "").match == .route(0))
        #expect(try Routes(["GET /{r...}"]).match("GET ").captures == [""])
        #expect(try Routes(["GET /x"]).match("GET ").match == .undeclared)
    }

    @Test func tableWithoutRoutesDeclaresNothing() throws {
        #expect(try Routes([]).route("GET /x") == "undeclared")
        #expect(try Routes([]).allowed("/x") == [])
    }

    @Test("options let data into segments, never separators")
    func oddSegments() throws {
        let slash = TargetOptions(allowEncodedSlash: true)
        let files = try Routes(["GET /f/{name}", "GET /f/a%2Fb", "GET /f/a/b"], slash)
        #expect(files.route("GET /f/a%2fb") == "GET /f/a%2Fb")
        #expect(files.route("GET /f/a%2Fc") == "GET /f/{name}")
        #expect(files.route("GET /f/a/b") == "GET /f/a/b")
        #expect(files.route("GET /f%2Fa") == "undeclared")
        let empty = TargetOptions(allowEmptySegments: true)
        let gaps = try Routes(["GET /a/{x}/b", "GET /c//d", "GET /{r...}"], empty)
        #expect(gaps.route("GET /a//b") == "GET /{r...}")
        #expect(gaps.route("GET /c//d") == "GET /c//d")
        #expect(gaps.route("GET //") == "GET /{r...}")
    }

    @Test(
        "Allow names what the path's routes declare, sorted, HEAD with GET",
        arguments: [
            (["POST /a", "GET /a"], "/a", ["GET", "HEAD", "POST"]), (["HEAD /a"], "/a", ["HEAD"]),
            (["GET /a/{x}", "PUT|BREW /a/b", "DELETE /a/{r...}"], "/a/b", ["BREW", "DELETE", "GET", "HEAD", "PUT"]),
            (["GET /a/{x}", "PUT /a/b"], "/a/%63", ["GET", "HEAD"]), (["GET /a"], "/b", []),
            (["GET /a", "POST /a/"], "/a", ["GET", "HEAD"]), (["PUT /"], "", ["PUT"]),
            (["ANY /a"], "/a", ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]),
        ])
    func allowedMethods(_ keys: [String], _ path: String, _ expected: [String]) throws {
        #expect(try Routes(keys).allowed(path) == expected)
    }
}
