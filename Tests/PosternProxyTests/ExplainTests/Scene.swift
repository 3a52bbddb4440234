import Foundation
import PosternCore
import Testing

@testable import PosternProxy

/// The fixtures of these tests: configurations, tokens that Python minted, and the texts that commands print.
enum Scene {
    static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/explain").path

    /// The time that the tokens are judged at: NOW of mint.py.
    static let now: Double = 1_800_000_000

    static func path(_ name: String) -> String { "\(Self.folder)/\(name)" }

    static func token(_ name: String) throws -> String {
        let document = try #require(FileManager.default.contents(atPath: Self.path("tokens.json")))
        let tokens = try JSONReader.parse([UInt8](document).span.bytes)
        return try #require(tokens[name]?.string)
    }

    /// Keys of the issuer `remote`, as its key set is.
    static let served: ExplainKeys.Retrieval = { _ in
        guard let text = try? Self.token("jwks"), let json = try? JSONReader.parse(Array(text.utf8).span.bytes),
            let keys = try? KeyMaterial.load(.inline(json))
        else { return .failure(.init(reason: "the fixture is broken")) }
        return .success(keys)
    }

    /// An issuer that is down.
    static let down: ExplainKeys.Retrieval = { _ in .failure(.init(reason: "connection refused")) }

    static func explain(
        _ request: ExplainRequest, file: String = "proxy.yaml", format: OutputFormat = .text,
        retrieval: ExplainKeys.Retrieval = Scene.served
    ) async -> CommandOutput {
        await ExplainCommand.run(
            path: Self.path(file), request: request, format: format, now: Self.now, retrieval: retrieval)
    }

    /// Compares with a file of the fixtures, in which the folder has no name. With RECORD_EXPLANATIONS in the
    /// environment the file is written instead, and the test fails so that nobody forgets it there.
    static func expect(_ text: String, isFile name: String, _ place: SourceLocation = #_sourceLocation) throws {
        let text = text.replacingOccurrences(of: Self.folder + "/", with: "")
        let path = Self.path("\(name).txt")
        if ProcessInfo.processInfo.environment["RECORD_EXPLANATIONS"] != nil {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            Issue.record("recorded \(name).txt", sourceLocation: place)
            return
        }
        let expected = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == expected, "\(name).txt", sourceLocation: place)
    }
}
