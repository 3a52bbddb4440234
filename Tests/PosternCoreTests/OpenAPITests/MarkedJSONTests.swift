import Testing

@testable import PosternCore

@Suite struct MarkedJSONTests {
    private func read(_ text: String, depth: Int = 8, nodes: Int = 1000) -> Result<
        ConfigurationNode, ConfigurationProblems
    > {
        MarkedJSON.read(Array(text.utf8), maximumDepth: depth, maximumNodes: nodes)
    }

    private func problem(_ text: String, depth: Int = 8, nodes: Int = 1000) -> String? {
        guard case .failure(let problems) = self.read(text, depth: depth, nodes: nodes) else { return nil }
        return problems.problems.first?.line(file: "f")
    }

    @Test func everyValueHasItsPlace() throws {
        let node = try self.read("{\n  \"é\": [1, \"two\"],\t\"n\": null\n}").get()
        #expect(
            node
                == .mapping(
                    [
                        .init(
                            key: .scalar("é", style: .quoted, mark: Mark(line: 2, column: 3)),
                            value: .sequence(
                                [
                                    .scalar("1", style: .plain, mark: Mark(line: 2, column: 9)),
                                    .scalar("two", style: .quoted, mark: Mark(line: 2, column: 12)),
                                ], mark: Mark(line: 2, column: 8))),
                        .init(
                            key: .scalar("n", style: .quoted, mark: Mark(line: 2, column: 20)),
                            value: .scalar("null", style: .plain, mark: Mark(line: 2, column: 25))),
                    ], mark: Mark(line: 1, column: 1)))
    }

    @Test func escapesAndByteOrderMarkAreRead() throws {
        let node = try self.read("\u{FEFF}[\"\\ud83d\\ude00\\/\", true, -1.5e3]").get()
        guard case .sequence(let items, let mark) = node else {
            Issue.record("no list")
            return
        }
        #expect(mark == Mark(line: 1, column: 1))
        #expect(items.map(\.text) == ["😀/", "true", "-1.5e3"])
    }

    @Test(arguments: [
        ("{", "f:1:2: error: not valid JSON: the document ends too early"),
        ("{\"a\": 1,\n  b}", "f:2:3: error: not valid JSON: an unexpected character"),
        ("[1] 2", "f:1:5: error: not valid JSON: something follows the value"),
        (
            "[\"\\ud800\"]",
            "f:1:9: error: not valid JSON: a control character, an unknown escape or a lone surrogate in a string"
        ),
        ("[[[[[[[[[1]]]]]]]]]", "f:1:9: error: not valid JSON: nested too deeply"),
        ("", "f:1:1: error: not valid JSON: the document ends too early"),
    ])
    func whatIsWrongHasItsPlace(text: String, line: String) {
        #expect(self.problem(text) == line)
    }

    @Test func valuesAreCounted() {
        #expect(self.problem("[1, 2, 3]", nodes: 4) == nil)
        #expect(self.problem("[1, 2, 3, 4]", nodes: 4) == "f:1:11: error: not valid JSON: too many keys and values")
    }
}
