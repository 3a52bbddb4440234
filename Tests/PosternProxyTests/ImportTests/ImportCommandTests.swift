import Foundation
import PosternCore
import Testing

@testable import PosternProxy

@Suite struct ImportCommandTests {
    private static let document = """
        {"openapi": "3.1.0", "info": {"title": "My Service (v2)"}, "paths": {
          "/x": {"get": {"security": [{"o": ["a"]}]}}, "/r.{f}": {"get": {}}},
         "components": {"securitySchemes": {"o": {"type": "oauth2", "flows": {}}}}}
        """

    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        try self.folder.write("d.json", Self.document)
    }

    private func run(
        _ whole: ImportRequest.Whole = .init(), output: String? = nil, force: Bool = false, file: String = "d.json"
    ) throws -> CommandOutput {
        ImportCommand.run(
            try ImportRequest(
                file: self.folder.path(file), whole: whole, output: output.map { self.folder.path($0) }, force: force))
    }

    private func content(_ name: String) throws -> String {
        try String(contentsOfFile: self.folder.path(name), encoding: .utf8)
    }

    private static let whole = ImportRequest.Whole(
        upstream: "http://127.0.0.1:8001", issuer: "https://i.example", audiences: ["a"], listen: "127.0.0.1:1")

    @Test func routesComeOutWithAWarningForWhatIsMissing() throws {
        let output = try self.run()
        #expect(output.exitCode == 0)
        #expect(
            output.stdout.hasSuffix(
                "\nroutes:\n  GET /x: {scopes: a}\n  # No route for GET /r.{f}: a parameter of "
                    + "Postern is a whole segment, and \"r.{f}\" is not\n"))
        #expect(
            output.stderr == "\(self.folder.path("d.json")):2:59: warning: paths./r.{f}.get: GET /r.{f} has no route: "
                + "a parameter of Postern is a whole segment, and \"r.{f}\" is not\n")
    }

    @Test func aWholeFilePassesCheck() throws {
        let output = try self.run(Self.whole, output: "proxy.yaml")
        #expect(output.exitCode == 0 && output.stdout.isEmpty)
        #expect(output.stderr.hasSuffix("proxy.yaml: 2 operations, 1 route, 1 without a route.\n"))
        #expect(try self.content("proxy.yaml").contains("service: my-service-v2\n"))
        #expect(CheckCommand.run(path: self.folder.path("proxy.yaml"), format: .text, strict: true).exitCode == 0)
    }

    @Test func aFileIsNotReplacedUnlessAskedTo() throws {
        try self.folder.write("proxy.yaml", "mine")
        let refused = try self.run(output: "proxy.yaml")
        #expect(refused.exitCode == 64 && refused.stderr.contains("--force"))
        #expect(try self.content("proxy.yaml") == "mine")
        #expect(try self.run(output: "proxy.yaml", force: true).exitCode == 0)
        #expect(try self.content("proxy.yaml").contains("GET /x"))
        let files = try FileManager.default.contentsOfDirectory(atPath: self.folder.path).sorted()
        #expect(files == ["d.json", "proxy.yaml"], "nothing is left behind")
    }

    @Test func aFileThatCannotBeWrittenIsSaid() throws {
        let output = try self.run(output: "absent/proxy.yaml")
        #expect(output.exitCode == 78 && output.stderr.contains("cannot be written: No such file"))
    }

    static let options: [(ImportRequest.Whole, String)] = [
        (.init(upstream: "ftp://h", issuer: "https://i", audiences: ["a"]), "Error: --upstream: "),
        (.init(upstream: "http://h", issuer: "https://i", audiences: ["a"], keys: "x"), "Error: --jwks-url: "),
        (.init(upstream: "http://h", issuer: "https://i", audiences: ["a"], listen: "x"), "Error: --listen: "),
        (.init(upstream: "http://h", issuer: "https://i", audiences: ["a"], service: "a b"), "Error: --service: "),
        (.init(upstream: "http://h", issuer: "", audiences: ["a"]), "Error: --issuer: "),
        (.init(upstream: "http://h", issuer: "https://i", audiences: [""]), "Error: --audience: "),
    ]

    @Test(arguments: Self.options)
    func aValueThatCannotBeUsedIsTheOptions(whole: ImportRequest.Whole, words: String) throws {
        let output = try self.run(whole, output: "proxy.yaml")
        #expect(output.exitCode == 64 && output.stderr.hasPrefix(words), "\(output.stderr)")
        #expect(!FileManager.default.fileExists(atPath: self.folder.path("proxy.yaml")))
    }

    @Test func optionsThatDoNotGoTogetherAreRefused() throws {
        #expect(throws: ImportRequest.Problem.self) { try self.run(.init(listen: "127.0.0.1:1")) }
        for path in ["v1", "", "/{v}", "/a?b"] {
            #expect(throws: ImportRequest.Problem.self) { try ImportRequest(file: "d", basePath: path) }
        }
        #expect(try ImportRequest(file: "d", basePath: "/").basePath == "")
        #expect(try ImportRequest(file: "d", basePath: "/v1/").basePath == "/v1")
    }

    /// Files that are no documents, and the place and words of the message.
    static let faults: [(String, String)] = [
        ("{\"openapi\": \"3.0.0\", }", ":1:22: error: not valid JSON"),
        ("openapi: 3.0.0\npaths: {/x: *nowhere}\n", ":2:13: error: there is no anchor"),
        ("openapi: 3.0.0\npaths:\n  /x: {}\n  /x: {}\n", ":4:3: error: /x: is written twice; the first is in line 3"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nopenapi: 3.0.0\n", ":1:1: error: paths: the document has no paths"),
        (
            String(repeating: "[", count: 400) + String(repeating: "]", count: 400),
            ":1:129: error: nested more than 128 levels deep"
        ),
        (String(repeating: "{\"a\":", count: 400), ":1:641: error: not valid JSON: nested too deeply"),
        ("", ":1:1: error: the file is empty"),
    ]

    @Test(arguments: Self.faults)
    func whatIsNoDocumentIsSaidWithItsPlace(text: String, words: String) throws {
        try self.folder.write("bad", text)
        let output = try self.run(file: "bad")
        #expect(output.exitCode == 78 && output.stdout.isEmpty)
        #expect(output.stderr.contains("bad\(words)"), "\(output.stderr)")
    }

    @Test func aFileThatIsNotThereOrTooLargeIsSaid() throws {
        #expect(
            try self.run(file: "absent").stderr.contains(
                "absent:1:1: error: the document cannot be read: there is no file"))
        #expect(try self.run(file: ".").exitCode == 78)
        let large = String(repeating: " ", count: ServiceDescription.maximumSize + 1)
        try self.folder.write("large", large)
        #expect(try self.run(file: "large").stderr.contains("is larger than 16 MiB"))
    }
}
