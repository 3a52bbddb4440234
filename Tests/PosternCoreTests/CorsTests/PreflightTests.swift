import PosternCore
import Testing

/// What is a preflight, and what becomes of it.
@Suite struct PreflightTests {
    private static let origin = "Origin: \(CorsPolicy.origin)"
    private static let asks = "Access-Control-Request-Method: GET"

    @Test(
        "only what a browser sends as a preflight is one",
        arguments: [
            (true, "OPTIONS", [origin, asks], "as a browser sends it"),
            (true, "OPTIONS", ["ORIGIN: null", "access-control-request-method: PURGE"], "names in any case"),
            (true, "OPTIONS", [origin, asks, "Content-Length: 0"], "a body of nothing is none"),
            (false, "options", [origin, asks], "methods are case-sensitive"),
            (false, "GET", [origin, asks], "another method"), (false, "HEAD", [origin, asks], "another method"),
            (false, "OPTIONS", [origin], "no method is asked for"),
            (false, "OPTIONS", [asks], "no origin"), (false, "OPTIONS", ["Origin:", asks], "an empty origin"),
            (false, "OPTIONS", [origin, origin, asks], "two origins"),
            (false, "OPTIONS", [origin, asks, asks], "two methods"),
            (false, "OPTIONS", [origin, "Access-Control-Request-Method:"], "an empty method"),
            (false, "OPTIONS", [origin, "Access-Control-Request-Method: GET, PUT"], "no token"),
            (
                false, "OPTIONS", [origin, "Access-Control-Request-Method: \(String(repeating: "a", count: 65))"],
                "longer than a method can be"
            ),
            (false, "OPTIONS", [origin, asks, "Content-Length: 1"], "a body"),
            (false, "OPTIONS", [origin, asks, "Transfer-Encoding: chunked"], "a body, perhaps"),
            (false, "OPTIONS", [origin, asks, "Connection: upgrade", "Upgrade: websocket"], "an upgrade"),
            (false, "OPTIONS", ["X-Origin: a", asks], "another name"),
        ])
    func recognition(row: (Bool, String, [String], String)) throws {
        let read = try #require(try readRequest(CorsPolicy.head("\(row.1) /public", row.2)))
        let preflight = Preflight(read.bytes.span.bytes, read.head)
        #expect((preflight != nil) == row.0, "\(row.3)")
    }

    @Test(
        "header names that are asked for are a list of tokens, or none",
        arguments: [
            ("authorization,content-type", "authorization,content-type"), ("a , b", "a , b"), ("", ""),
            ("a b", ""), ("a;b", ""), ("a,b\"", ""), ("a: b", ""),
        ])
    func headers(row: (String, String)) throws {
        let read = try #require(try readRequest(CorsPolicy.preflight("/public", "GET", headers: row.0)))
        let preflight = Preflight(read.bytes.span.bytes, read.head)
        #expect(preflight.map { read.text($0.headers) } == row.1)
    }

    @Test("the origin of one head is not that of the next one read into the same memory")
    func originsDoNotStay() throws {
        let first = Array(CorsPolicy.preflight("/public", "GET").utf8)
        let second = Array(CorsPolicy.head("GET /public", []).utf8)
        var head = RequestHead()
        for (bytes, count) in [(first, 1), (second, 0)] {
            let (outcome, lines) = scan(bytes)
            guard case .complete(let end) = outcome else { throw HTTPProblem.malformed(.startLine) }
            try head.read(bytes.span.bytes, lines: lines, end: end, limits: HeadLimits())
            #expect(head.originCount == count)
            #expect(head.origin.isEmpty == (count == 0))
        }
    }

    // MARK: - deny

    @Test(
        "with deny a preflight is a request like any other",
        arguments: [
            ("/public", "method_not_allowed"), ("/any", "method_not_allowed"), ("/asked", "missing_token"),
            ("/shut", "route_denied"), ("/only", "permit 8"), ("/all", "permit 9"), ("/nowhere", "route_not_declared"),
        ])
    func denied(row: (String, String)) throws {
        let gate = try CorsPolicy.gate(cors: false)
        #expect(try CorsPolicy.admit(CorsPolicy.preflight(row.0, "GET"), gate).words == row.1)
    }

    // MARK: - forward

    @Test(
        "a preflight is forwarded where its request would go, without a token and never past a deny",
        arguments: [
            ("/public", "GET", "preflight 0", "a public route"),
            ("/public", "HEAD", "preflight 0", "GET is for HEAD"),
            ("/any", "PUT", "preflight 1", "a route that needs a token"),
            ("/any", "DELETE", "route_denied", "the request would be denied"),
            ("/any", "POST", "method_not_allowed", "the request would be 405"),
            ("/asked", "GET", "preflight 3", "a route for OPTIONS is the preflight's own"),
            ("/asked", "PATCH", "preflight 3", "also for methods that no other route names"),
            ("/asked", "POST", "route_denied", "but not for a request that is denied"),
            ("/shut", "GET", "route_denied", "OPTIONS itself is denied"),
            ("/only", "GET", "preflight 8", "OPTIONS alone is declared"),
            ("/all", "PURGE", "preflight 9", "ANY takes any method"),
            ("/deep/x", "GET", "route_denied", "a catch-all denies"),
            ("/deep/open", "GET", "preflight 11", "a catch-all's deny is not that of the route inside it"),
            ("/deep/open", "PUT", "route_denied", "but it is that of other methods"),
            ("/own/u1", "GET", "preflight 12", "a route with parameters"),
            ("/cache", "PURGE", "preflight 13", "a method of no standard"),
            ("/nowhere", "GET", "route_not_declared", "default: deny"),
            ("/public/../any", "GET", "ambiguous_path", "the path is checked first"),
        ])
    func forwarded(row: (String, String, String, String)) throws {
        let gate = try CorsPolicy.gate()
        #expect(try CorsPolicy.admit(CorsPolicy.preflight(row.0, row.1), gate).words == row.2, "\(row.3)")
    }

    @Test("an undeclared path is a route with the access of default")
    func forwardedByDefault() throws {
        for access in [Access.open, .required(Requirement())] {
            let gate = try CorsPolicy.gate(default: access)
            #expect(try CorsPolicy.admit(CorsPolicy.preflight("/nowhere", "GET"), gate).words == "preflight -1")
        }
    }

    @Test(
        "an Origin opens nothing: whatever is no preflight is judged as without it",
        arguments: ["GET /any", "PUT /any", "OPTIONS /asked", "HEAD /any", "GET /own/u1"])
    func originOpensNothing(line: String) throws {
        for gate in [try CorsPolicy.gate(), try CorsPolicy.gate(CrossOriginRules(origins: ["*"]))] {
            for fields in [[Self.origin], [Self.origin, Self.asks, "Content-Length: 3"], [Self.asks]] {
                #expect(try CorsPolicy.admit(CorsPolicy.head(line, fields), gate).words == "missing_token")
            }
        }
    }
}
