import PosternCore
import Testing

@testable import PosternProxy

@Suite struct CheckDocumentTests {
    private static let head = """
        version: 1
        upstream: http://127.0.0.1:8001
        issuers: {main: {issuer: "https://i.example", audiences: [a], keys: {discover: true}}}

        """

    private static let document = """
        openapi: 3.0.3
        servers: [{url: /v1}]
        security: [{o: [read]}]
        paths:
          /trades:
            get: {}
            post: {security: [{o: [open]}, {o: [admin]}]}
          /trades/{id}:
            delete: {security: [{o: [close, read]}]}
            options: {security: []}
          /health:
            get: {security: []}
          /key:
            get: {security: [{k: []}]}
          /report.{format}:
            get: {}
        components:
          securitySchemes:
            o: {type: oauth2, flows: {}}
            k: {type: apiKey, in: header, name: X-Key}
        """

    /// A policy that says exactly what the document does.
    private static let good = [
        "GET /v1/trades: {scopes: read}", "POST /v1/trades: {any_scope: [admin, open]}",
        "DELETE /v1/trades/{trade}: {scopes: [close, read]}", "OPTIONS /v1/trades/{trade}: public",
        "GET /v1/health: public", "GET /v1/key: public", "GET /v1/{file}: {scopes: read}",
    ]

    private func check(
        _ routes: [String], more: String = "", document: String = Self.document, strict: Bool = false,
        basePath: String? = nil, format: OutputFormat = .text
    ) throws -> CommandOutput {
        let folder = try TemporaryFolder()
        try folder.write("d.yaml", document)
        try folder.write("p.yaml", Self.head + more + "routes:\n" + routes.map { "  \($0)\n" }.joined())
        var output = CheckCommand.run(
            path: folder.path("p.yaml"), format: format, strict: strict,
            against: try CheckedDocument(path: folder.path("d.yaml"), basePath: basePath))
        output.stdout = output.stdout.split(separator: folder.path + "/", omittingEmptySubsequences: false).joined()
        return output
    }

    /// The findings about the document.
    private func lines(_ routes: [String], more: String = "") throws -> [String] {
        try self.check(routes, more: more).stdout.split(separator: "\n").map(String.init).filter { line in
            ["weaker", "missing", "surplus", "note"].contains { line.contains(": \($0): ") }
        }
    }

    @Test func aPolicyThatSaysTheSameIsFine() throws {
        #expect(
            try self.lines(Self.good) == [
                "p.yaml:10:3: note: routes.GET /v1/key: the document asks for the API key \"k\" (header \"X-Key\") at "
                    + "GET /v1/key: left to the service (d.yaml:14:5)"
            ])
        #expect(try self.check(Self.good, strict: true).exitCode == 0)
    }

    /// The route that is replaced, what it is replaced by, and the line that appears.
    static let changes: [(String, [String], String)] = [
        (
            "DELETE /v1/trades/{trade}: {scopes: [close, read]}", [],
            "d.yaml:9:5: warning: missing: paths./trades/{id}.delete: no route is for it: it is refused; "
                + "write DELETE /v1/trades/{id}: {scopes: [close, read]}"
        ),
        (
            "GET /v1/trades: {scopes: read}", ["GET /v1/trades: authenticated"],
            "p.yaml:5:3: warning: weaker: routes.GET /v1/trades: lets more callers through than GET /v1/trades does by "
                + "the document, which asks for a token with scope read (d.yaml:6:5)"
        ),
        (
            "GET /v1/trades: {scopes: read}", ["GET /v1/trades: {scopes: read, claims: {is_trusted: true}}"],
            "p.yaml:5:3: note: routes.GET /v1/trades: asks for more than GET /v1/trades does by the document, which "
                + "asks for a token with scope read (d.yaml:6:5)"
        ),
        (
            "POST /v1/trades: {any_scope: [admin, open]}", ["POST /v1/trades: {any_scope: [admin, open, more]}"],
            "p.yaml:6:3: warning: weaker: routes.POST /v1/trades: lets more callers through than POST /v1/trades does "
                + "by the document, which asks for a token with scope open or a token with scope admin (d.yaml:7:5)"
        ),
        (
            "POST /v1/trades: {any_scope: [admin, open]}", ["POST /v1/trades: {scopes: open}"],
            "p.yaml:6:3: note: routes.POST /v1/trades: asks for more than POST /v1/trades does by the document, which "
                + "asks for a token with scope open or a token with scope admin (d.yaml:7:5)"
        ),
        (
            "GET /v1/health: public",
            ["GET /v1/health: public", "GET /v1/users: {scopes: read}", "DELETE /v1/trades/mine: public"],
            "p.yaml:11:3: warning: weaker: routes.DELETE /v1/trades/mine: lets more callers through than DELETE "
                + "/v1/trades/{id} does by the document, which asks for a token with scopes close and read (d.yaml:9:5)"
        ),
        (
            "GET /v1/health: public", ["GET|POST /v1/health: public"],
            "p.yaml:9:3: warning: surplus: routes.GET|POST /v1/health: the document has the path, but not with POST"
        ),
        (
            "GET /v1/health: public", ["GET /v1/health: public", "GET /metrics: public"],
            "p.yaml:10:3: warning: surplus: routes.GET /metrics: the document has no such path"
        ),
        (
            "GET /v1/{file}: {scopes: read}", ["GET /v1/{file}: public"],
            "p.yaml:11:3: warning: weaker: routes.GET /v1/{file}: lets more callers through than GET "
                + "/v1/report.{format} does by the document, which asks for a token with scope read (d.yaml:16:5)"
        ),
        (
            "OPTIONS /v1/trades/{trade}: public", [],
            "d.yaml:10:5: warning: missing: paths./trades/{id}.options: no route is for it: it is refused; "
                + "write OPTIONS /v1/trades/{id}: public"
        ),
    ]

    @Test(arguments: Self.changes)
    func everyDifferenceIsNamed(old: String, new: [String], line: String) throws {
        #expect(Self.good.contains(old))
        let routes = Self.good.flatMap { $0 == old ? new : [$0] }
        let lines = try self.lines(routes)
        #expect(lines.contains(line), "\(lines.joined(separator: "\n"))")
        #expect(try self.check(routes, strict: true).exitCode == (line.contains(" warning: ") ? 1 : 0))
    }

    @Test func whatIsAnsweredWithoutARouteIsNotMissing() throws {
        let routes =
            Self.good.filter { !$0.hasPrefix("OPTIONS") } + ["HEAD /v1/health: public", "ANY /v2/{x...}: deny"]
        let lines = try self.lines(routes, more: "cors: {preflight: forward}\n")
        #expect(!lines.contains { $0.contains("warning") }, "\(lines)")
    }

    @Test func anOpenDefaultIsWeakerThanTheDocument() throws {
        let lines = try self.lines(Self.good.filter { !$0.hasPrefix("DELETE") }, more: "default: authenticated\n")
        #expect(lines.contains { $0.hasPrefix("d.yaml:9:5: warning: missing: ") }, "a known path has no default")
        let open = try self.lines(["GET /v1/health: public"], more: "default: public\n")
        #expect(open.contains { $0.hasPrefix("d.yaml:6:5: warning: weaker: paths./trades.get: no route is for it") })
    }

    @Test func theBasePathCanBeGiven() throws {
        let routes = Self.good.map { String($0.split(separator: "/v1").joined()) }
        #expect(try self.check(routes, strict: true).exitCode == 1)
        #expect(try self.check(routes, strict: true, basePath: "/").exitCode == 0)
    }

    @Test func jsonNamesBothPlaces() throws {
        let routes = Self.good.dropFirst(2) + ["GET /v1/trades: authenticated"]
        let output = try self.check(Array(routes), format: .json)
        #expect(
            output.stdout.contains(
                #""document":{"file":"d.yaml","line":6,"column":5,"path":"paths./trades.get"}"#), "\(output.stdout)")
        #expect(output.stdout.contains(#""kind":"missing","line":7,"column":5"#))
        #expect(output.stdout.contains(#""file":"d.yaml"}"#))
    }

    @Test func aBrokenDocumentIsAnError() throws {
        let output = try self.check(Self.good, document: "openapi: 3.0.3\npaths: []\n")
        #expect(output.exitCode == 78)
        #expect(output.stdout.hasPrefix("d.yaml:2:8: error: paths: must be a mapping\n"))
    }
}
