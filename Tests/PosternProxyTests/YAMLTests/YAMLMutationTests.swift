import Foundation
import PosternCore
import PosternProxy
import Testing

/// Whatever bytes a file holds, reading and loading it ends in a configuration or in problems, and never in a trap.
@Suite struct YAMLMutationTests {
    private static let seedTexts: [[UInt8]] = {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/configuration")
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".yaml") }.sorted()
            .compactMap { FileManager.default.contents(atPath: folder.appendingPathComponent($0).path) }
            .map { [UInt8]($0) }.filter { $0.count < 8000 }
    }()

    private static let scraps = [
        "{", "}", "[", "]", ": ", ", ", "- ", "? ", "&a ", "*a", "*a ", "!x ", "!!", "|\n", ">\n", "\"", "'", "#", "%",
        "@", "`",
        "\n", "\r\n", "\r", "\t", "  ", "\u{0}", "\u{85}", "\u{2028}", "\u{FEFF}", "\u{E000}", "\u{E001}", "\\u",
        "\\uD800",
        "\\UFFFFFFFF", "\\x", "---\n", "...\n", "<<: ", "${", "}", "é", "\u{1F600}", "%YAML 1.9\n", "%TAG ! x\n---\n",
        "~", "\\",
    ]

    @Test(arguments: 0..<24)
    func mutatedFileNeverTraps(seed: Int) throws {
        var random = Generator(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        for _ in 0..<40 {
            var bytes = try #require(Self.seedTexts.randomElement(using: &random))
            for _ in 0...Int.random(in: 0..<6, using: &random) { Self.mutate(&bytes, using: &random) }
            switch YAMLReader.read(bytes).flatMap({ ConfigurationLoader.load($0, environment: CorpusTests.environment) }
            ) {
            case .success(let loaded): #expect(!loaded.configuration.listen.isEmpty)
            case .failure(let problems):
                #expect(!problems.errors.isEmpty)
                #expect(problems.problems.allSatisfy { $0.mark.line >= 1 && $0.mark.column >= 1 })
            }
        }
    }

    private static func mutate(_ bytes: inout [UInt8], using random: inout Generator) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0..<20, using: &random)))
        case 2:
            let end = min(bytes.count, place + Int.random(in: 0..<60, using: &random))
            bytes.insert(contentsOf: Array(bytes[place..<end]), at: Int.random(in: 0...bytes.count, using: &random))
        default: bytes.insert(contentsOf: Array((Self.scraps.randomElement(using: &random) ?? "").utf8), at: place)
        }
    }

    /// The same numbers in every run (xorshift64*).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state ^= self.state >> 12
            self.state ^= self.state << 25
            self.state ^= self.state >> 27
            return self.state &* 0x2545_F491_4F6C_DD1D
        }
    }
}
