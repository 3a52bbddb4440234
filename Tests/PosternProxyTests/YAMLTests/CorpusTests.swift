import Foundation
import PosternCore
import PosternProxy
import Testing

/// Every file of Tests/Fixtures/configuration is loaded, and what comes out is exactly its `.expected` file: a line for
/// each error and warning with place, key path and message. Nothing, where nothing is to be said.
@Suite struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/configuration")

    private static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: Self.folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.sorted()
    }()

    static let environment = ConfigurationEnvironment(
        variable: { name in
            ["TEST_SECRET": String(repeating: "s", count: 40), "TEST_EMPTY": "", "TEST_NUMBER": "7"][name]
        },
        file: { path in
            guard let data = FileManager.default.contents(atPath: Self.folder.appendingPathComponent(path).path) else {
                return .failure(.init(reason: "No such file or directory"))
            }
            return .success([UInt8](data))
        })

    @Test func corpusIsThere() {
        #expect(Self.names.count >= 35)
    }

    @Test(arguments: Self.names)
    func fileSaysExactlyWhatIsExpected(name: String) throws {
        let expected = Self.folder.appendingPathComponent(name.replacingOccurrences(of: ".yaml", with: ".expected"))
        let lines = try Self.load(Self.folder.appendingPathComponent(name)).map { $0.line(file: name) + "\n" }
        #expect(lines.joined() == (try String(contentsOf: expected, encoding: .utf8)))
    }

    @Test func referenceDeploymentHasNothingToSay() throws {
        let file = Self.folder.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("proxy.yaml")
        #expect(try Self.load(file).isEmpty)
    }

    private static func load(_ file: URL) throws -> [ConfigurationProblem] {
        let document = YAMLReader.read([UInt8](try Data(contentsOf: file)))
        switch document.flatMap({ ConfigurationLoader.load($0, environment: Self.environment) }) {
        case .success(let loaded): return loaded.warnings
        case .failure(let problems): return problems.problems
        }
    }
}
