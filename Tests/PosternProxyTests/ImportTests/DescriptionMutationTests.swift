import PosternCore
import Testing

@testable import PosternProxy

/// Damaged documents: every one of them is read or refused, and what is read makes a policy that loads.
@Suite struct DescriptionMutationTests {
    static let json = """
        {"openapi": "3.2.0", "info": {"title": "T"}, "servers": [{"url": "https://h/{v}/x", "variables":
        {"v": {"default": "v1"}}}], "security": [{"o": ["a", "b"]}], "paths": {"/a/{x}": {"$ref": "#/paths/~1b"},
        "/b": {"get": {"security": [{"o": ["a"]}, {"k": [], "b": ["c"]}, {}]}, "additionalOperations": {"BREW": {}}},
        "/{y}/c.{z}?q#f": {"post": {"servers": [{"url": "/"}]}, "head": {"security": []}}}, "components":
        {"securitySchemes": {"o": {"type": "oauth2"}, "k": {"type": "apiKey", "in": "header", "name": "X"},
        "b": {"$ref": "#/components/securitySchemes/o"}}}}
        """

    static let yaml = """
        swagger: "2.0"
        basePath: /v1
        securityDefinitions: {o: &o {type: oauth2}, p: *o, k: {type: basic}}
        security: [{o: [a]}]
        paths:
          /a/{x}:
            get: {security: [{o: [a, b]}, {p: [c]}]}
            put: {}
          /{y}/b: {get: {security: []}}
        """

    private static let pieces = [
        "{", "}", "[", "]", "\"", ":", ",", "/", "#", "$ref", "\\u0000", "é", "~", "*", "&", "\n", "null",
    ]

    @Test(arguments: [Self.json, Self.yaml])
    func damageIsReadOrRefused(document: String) throws {
        var numbers = SplitMix(seed: 7)
        var (read, refused) = (0, 0)
        for _ in 0..<300 {
            var bytes = Array(document.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &numbers)
                case 1: bytes.remove(at: place)
                case 2:
                    bytes.insert(contentsOf: Array((Self.pieces.randomElement(using: &numbers) ?? "").utf8), at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 12))
                }
            }
            guard case .success(let description) = DescriptionFile.tree(bytes).flatMap({ ServiceDescription.read($0) })
            else {
                refused += 1
                continue
            }
            read += 1
            let text = try PolicyDraft(description, silent: .denied).yaml(
                source: "damaged", surroundings: .init(upstream: "http://h", issuer: "http://i", audiences: ["any"]))
            let environment = ConfigurationEnvironment(
                variable: { _ in nil }, file: { _ in .failure(.init(reason: "")) })
            let loaded = ConfigurationFile.load(bytes: Array(text.utf8), environment: environment)
            guard case .failure(let problems) = loaded else { continue }
            Issue.record(
                "\(problems.problems.map { $0.line(file: "made") })\n\(text)\n\(String(decoding: bytes, as: UTF8.self))"
            )
        }
        #expect(read > 10 && refused > 20, "\(read) \(refused)")
    }
}
