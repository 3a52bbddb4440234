import Testing

@testable import PosternCore

@Suite struct DescriptionTests {
    static let faults: [(String, String)] = [
        ("[]", "d:1:1: error: the file is no OpenAPI document: it must be a mapping"),
        ("{'info': {}}", "d:1:1: error: the file is no OpenAPI document: the key openapi is missing"),
        ("{'openapi': '4.0.0'}", "d:1:13: error: openapi: must be 3.0, 3.1 or 3.2"),
        ("{'swagger': '1.2'}", "d:1:13: error: swagger: only version 2.0 can be read, beside OpenAPI 3"),
        ("{'openapi': '3.0.3', 'paths': {}}", "d:1:1: error: paths: the document has no paths with operations"),
        ("{'openapi': '3.0.3',\n 'a': {'b': 1, 'b': 2}}", "d:2:16: error: b: is written twice; the first is in line 2"),
        ("{'openapi': '3.0.3', 'paths': {'x': {}}}", "d:1:32: error: paths.x: a path begins with \"/\""),
        ("{'openapi': '3.0.3', 'paths': {'/x': []}}", "d:1:38: error: paths./x: must be a mapping"),
        (
            "{'openapi': '3.0.3', 'paths': {'/x': {'GET': {}}}}",
            "d:1:39: error: paths./x.GET: methods are written in lower case, did you mean \"get\"?"
        ),
        (
            "{'openapi': '3.0.3', 'paths': {'/x': {'$ref': 'other.yaml#/x'}}}",
            "d:1:47: error: paths./x.$ref: leads out of this document, to \"other.yaml#/x\": "
                + "bundle all of it into one file first"
        ),
        (
            "{'openapi': '3.0.3', 'paths': {'/x': {'$ref': '#/paths/~1x'}}}",
            "d:1:47: error: paths./x.$ref: leads back to itself"
        ),
        (
            "{'openapi': '3.0.3', 'paths': {'/x': {'$ref': '#/nowhere'}}}",
            "d:1:47: error: paths./x.$ref: \"#/nowhere\" leads nowhere"
        ),
        (
            "{'openapi': '3.0.3', 'paths': {'/x': {'get': {'security': {'oauth': []}}}}}",
            "d:1:59: error: paths./x.get.security: must be a list of mappings, such as [{\"name\": [\"scope\"]}]"
        ),
        (
            "{'openapi': '3.0.3', 'paths': {'/x': {'get': {'security': [{'auth': []}]}}}, "
                + "'components': {'securitySchemes': {'oauth': {'type': 'oauth2'}}}}",
            "d:1:61: error: paths./x.get.security[0].auth: no security scheme has this name, did you mean \"oauth\"?"
        ),
        (
            "{'openapi': '3.0.3', 'servers': [{'url': 'api/v1'}], 'paths': {'/x': {'get': {}}}}",
            "d:1:42: error: servers[0].url: is relative to where the document is served: give the path with --base-path"
        ),
        (
            "{'openapi': '3.0.3', 'servers': [{'url': 'https://h/{v}'}], 'paths': {'/x': {'get': {}}}}",
            "d:1:42: error: servers[0].url: has a variable without a default: give the path with --base-path"
        ),
        (
            "{'openapi': '3.2.0', 'paths': {'/x': {'additionalOperations': {'ANY': {}}}}}",
            "d:1:64: error: paths./x.additionalOperations.ANY: is not the name of another method"
        ),
    ]

    @Test(arguments: Self.faults)
    func whatIsWrongHasItsPlace(text: String, line: String) {
        #expect(Document.problems(text) == [line])
    }

    @Test func allProblemsComeAtOnce() {
        let text = "{'openapi': '3.0.3', 'paths': {'x': {}, '/y': {'get': {'security': 1}}, '/z': {'$ref': 'o'}}}"
        #expect(Document.problems(text).count == 3)
    }

    @Test func referencesAreFollowedAndSiblingsCount() throws {
        let text = Document.text(
            """
            'paths': {'/a': {'$ref': '#/components/pathItems/It%65m~1one', 'put': {'security': []}},
                '/b': {'$ref': '#/paths/~1a'}, '/c': {'get': {'$ref': '#/components/pathItems/Item~1one/get'}}},
            'components': {'pathItems': {'Item/one': {'get': {'security': []}}}}
            """)
        #expect(
            try Document.routes(text)
                == ["PUT /a: public", "GET /a: public", "PUT /b: public", "GET /b: public", "GET /c: public"])
    }

    @Test func whatIsSaidTwiceIsAnError() {
        let text = Document.text(
            "'paths': {'/a': {'$ref': '#/paths/~1b', 'get': {'security': []}}, '/b': {'get': {}}}")
        #expect(Document.problems(text).first?.contains("keep one") == true)
    }

    /// `servers` (or other members), the base path that was given, and the path of the route.
    static let bases: [(String, String?, String)] = [
        ("", nil, "/x"),
        ("'servers': [],", nil, "/x"),
        ("'servers': [{'url': '/api/v1/'}],", nil, "/api/v1/x"),
        ("'servers': [{'url': 'https://h.example/v2?x#y'}],", nil, "/v2/x"),
        ("'servers': [{'url': 'https://h.example'}],", nil, "/x"),
        ("'servers': [{'url': '//h.example/v3'}],", nil, "/v3/x"),
        ("'servers': [{'url': 'http://{h}/{v}/', 'variables': {'v': {'default': 'v4'}}}],", nil, "/v4/x"),
        ("'servers': [{'url': '/a'}, {'url': '/b'}],", nil, "/a/x"),
        ("'servers': [{'url': '/a'}],", "", "/x"),
        ("'servers': [{'url': 'api'}],", "/given", "/given/x"),
    ]

    @Test(arguments: Self.bases)
    func pathsBeginWithTheServers(members: String, given: String?, path: String) throws {
        let text = Document.text("\(members) 'paths': {'/x': {'get': {'security': []}}}")
        #expect(try Document.routes(text, basePath: given) == ["GET \(path): public"])
        let remarks = try Document.read(text, basePath: given).get().remarks
        #expect(remarks.isEmpty == !members.contains("'/b'"))
    }

    @Test func serversOfAPathAndOfAnOperationComeFirst() throws {
        let text = Document.text(
            """
            'servers': [{'url': '/root'}], 'paths': {'/x': {'servers': [{'url': '/item'}],
                'get': {'security': []}, 'put': {'security': [], 'servers': [{'url': '/own'}]}}}
            """)
        #expect(try Document.routes(text) == ["GET /item/x: public", "PUT /own/x: public"])
    }

    @Test func versionTwoIsRead() throws {
        let text = """
            {'swagger': '2.0', 'basePath': '/v1', 'security': [{'o': ['a']}], 'paths': {
                '/x': {'get': {}, 'put': {'security': [{'k': []}]}, 'post': {'security': [{'b': []}]}}},
             'securityDefinitions': {'o': {'type': 'oauth2', 'flow': 'implicit'}, 'b': {'type': 'basic'},
                'k': {'type': 'apiKey', 'in': 'header', 'name': 'Authorization'}}}
            """
        #expect(
            try Document.routes(text)
                == ["GET /v1/x: {scopes: a}", "PUT /v1/x: authenticated", "POST /v1/x: deny"])
        #expect(try Document.read(text).get().format == "Swagger 2.0")
    }

    @Test func newMethodsAreRead() throws {
        let text = """
            {'openapi': '3.2.0', 'paths': {'/x': {'query': {'security': []},
                'additionalOperations': {'BREW': {'security': []}}}}}
            """
        #expect(try Document.routes(text) == ["QUERY /x: public", "BREW /x: public"])
        #expect(Document.problems(text.replacing32).count == 1)
    }

    @Test func tooManyOperationsAreRefused() {
        let paths = (0...ServiceDescription.maximumOperations).map { "'/p\($0)': {'get': {}}" }.joined(separator: ",")
        #expect(Document.problems(Document.text("'paths': {\(paths)}")).count == 1)
    }
}

extension String {
    fileprivate var replacing32: String {
        self.split(separator: "3.2.0", omittingEmptySubsequences: false).joined(separator: "3.1.0")
    }
}
