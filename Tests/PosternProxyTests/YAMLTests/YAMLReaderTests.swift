import PosternCore
import PosternProxy
import Testing

@Suite struct YAMLReaderTests {
    private func read(_ text: String) -> Result<ConfigurationNode, ConfigurationProblems> {
        YAMLReader.read(Array(text.utf8))
    }

    private func problem(_ text: String) -> String? {
        guard case .failure(let problems) = self.read(text) else { return nil }
        return problems.problems.map { $0.line(file: "f") }.joined(separator: "\n")
    }

    private static func scalar(
        _ text: String, _ line: Int, _ column: Int, _ style: ConfigurationNode.Style = .plain
    ) -> ConfigurationNode {
        .scalar(text, style: style, mark: Mark(line: line, column: column))
    }

    @Test func placesAndStylesAreKept() throws {
        let tree = try self.read("a: 1\n\"b\": ['x', \"y\", z]\nc: |\n  text\n").get()
        #expect(
            tree
                == .mapping(
                    [
                        .init(key: Self.scalar("a", 1, 1), value: Self.scalar("1", 1, 4)),
                        .init(
                            key: Self.scalar("b", 2, 1, .quoted),
                            value: .sequence(
                                [
                                    Self.scalar("x", 2, 7, .quoted), Self.scalar("y", 2, 12, .quoted),
                                    Self.scalar("z", 2, 17),
                                ], mark: Mark(line: 2, column: 6))),
                        .init(key: Self.scalar("c", 3, 1), value: Self.scalar("text\n", 3, 4, .quoted)),
                    ], mark: Mark(line: 1, column: 1)))
    }

    @Test func columnsCountCharacters() throws {
        let tree = try self.read("é: {日本: x}\n").get()
        guard case .mapping(let pairs, _) = tree, case .mapping(let inner, _)? = pairs.first?.value else {
            Issue.record("not a mapping")
            return
        }
        #expect(inner.first?.key == Self.scalar("日本", 1, 5))
        #expect(inner.first?.value == Self.scalar("x", 1, 9))
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func linesEndInEveryWay(ending: String) throws {
        let tree = try self.read("a: 1" + ending + "a: 2" + ending + "b: 3").get()
        guard case .mapping(let pairs, _) = tree else {
            Issue.record("not a mapping")
            return
        }
        #expect(pairs.map(\.key) == [Self.scalar("a", 1, 1), Self.scalar("a", 2, 1), Self.scalar("b", 3, 1)])
    }

    @Test func repeatedKeysAreAllThereWithTheirPlaces() throws {
        let tree = try self.read("{a: 1, 'a': 2, \"a\": 3, b: {c: 1, c: 2}, d: 4}").get()
        guard case .mapping(let pairs, _) = tree, case .mapping(let inner, _) = pairs[3].value else {
            Issue.record("not a mapping")
            return
        }
        #expect(pairs.map(\.key.mark.column) == [2, 8, 16, 24, 41])
        #expect(inner.map(\.key) == [Self.scalar("c", 1, 28), Self.scalar("c", 1, 34)])
        #expect(inner.map(\.value) == [Self.scalar("1", 1, 31), Self.scalar("2", 1, 37)])
        #expect(pairs[4].value == Self.scalar("4", 1, 44))
    }

    @Test func asteriskInTextStays() throws {
        guard case .mapping(let pairs, _) = try self.read("a: x *y\nb: '*z'\nc: [x*y]").get() else {
            Issue.record("not a mapping")
            return
        }
        #expect(
            pairs.map(\.value) == [
                Self.scalar("x *y", 1, 4), Self.scalar("*z", 2, 4, .quoted),
                .sequence([Self.scalar("x*y", 3, 5)], mark: Mark(line: 3, column: 4)),
            ])
    }

    @Test(arguments: ["a: **y", "*: x", "a: * x"])
    func asteriskWithoutANameIsRefused(text: String) {
        #expect(self.problem(text)?.contains("error: not valid YAML: ") == true)
    }

    @Test func charactersOfPrivateUseAreText() throws {
        guard case .mapping(let pairs, _) = try self.read("a: \u{E000}\u{E001}\nb: \"\\uE001\"\n").get() else {
            Issue.record("not a mapping")
            return
        }
        #expect(
            pairs.map(\.value) == [Self.scalar("\u{E000}\u{E001}", 1, 4), Self.scalar("\u{E001}", 2, 4, .quoted)])
    }

    @Test func stringsMaySayThatTheyAre() throws {
        guard case .mapping(let pairs, _) = try self.read("!!str a: !!str '1'\n").get() else {
            Issue.record("not a mapping")
            return
        }
        #expect(
            pairs == [.init(key: Self.scalar("a", 1, 1), value: Self.scalar("1", 1, 10, .quoted))])
    }

    @Test func aliasIsTheNodeOfItsAnchor() throws {
        guard case .mapping(let pairs, _) = try self.read("a: &x {b: [1]}\nc: *x\nd: [*x]\n").get() else {
            Issue.record("not a mapping")
            return
        }
        #expect(pairs[1].value == pairs[0].value)
        #expect(pairs[2].value == .sequence([pairs[0].value], mark: Mark(line: 3, column: 4)))
    }

    @Test func laterAnchorOfTheSameNameWins() throws {
        guard case .sequence(let items, _) = try self.read("[&x 1, *x, &x 2, *x]").get() else {
            Issue.record("not a list")
            return
        }
        #expect(
            items == [Self.scalar("1", 1, 2), Self.scalar("1", 1, 2), Self.scalar("2", 1, 12), Self.scalar("2", 1, 12)])
    }

    @Test(arguments: [
        ("*a", "f:1:1: error: there is no anchor \"&a\" before this alias"),
        ("a: *b", "f:1:4: error: there is no anchor \"&b\" before this alias"),
        ("&a b: 1\n*a : 2", "f:2:1: error: a key cannot be an alias: write it out"),
        ("a: !!str b", "f:1:4: error: tags such as \"!str\" are not supported"),
        ("&a [*a]", "f:1:5: error: there is no anchor \"&a\" before this alias"),
        ("[1]: x", "f:1:1: error: a key must be a string: quote it if it begins with { or ["),
        ("? {a: b}\n: x", "f:1:3: error: a key must be a string: quote it if it begins with { or ["),
        ("a: !x b", "f:1:4: error: tags such as \"!x\" are not supported"),
        ("a: !!binary aGk=", "f:1:4: error: tags such as \"!binary\" are not supported"),
        ("!x a: b", "f:1:1: error: tags such as \"!x\" are not supported"),
        ("a: !!map {}", "f:1:4: error: tags such as \"!map\" are not supported"),
        ("a: !!seq []", "f:1:4: error: tags such as \"!seq\" are not supported"),
        ("%TAG ! tag:x,2000:\n---\na: !y z", "f:3:4: error: tags such as \"!y\" are not supported"),
        ("a: b\n...\n---\nc: d", "f:4:1: error: a second document begins here: the file must hold one"),
        ("a: [1", "f:2:1: error: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
    ])
    func documentIsRefused(text: String, problem: String) {
        let found = self.problem(text)
        if problem.contains("flow sequence") {
            #expect(found?.contains("while parsing a flow sequence") == true)
        } else {
            #expect(found == problem)
        }
    }

    @Test func documentOfMoreThanAMebibyteIsRefused() {
        #expect(self.problem(String(repeating: "#", count: 1 << 20)) == nil)
        #expect(
            self.problem(String(repeating: "#", count: (1 << 20) + 1)) == "f:1:1: error: the file is larger than 1 MiB")
    }

    @Test func nestingIsBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(self.problem(nested(32)) == nil)
        #expect(self.problem(nested(33)) == "f:1:33: error: nested more than 32 levels deep")
        for text in [nested(990), String(repeating: "[", count: 100_000), String(repeating: "- ", count: 100_000)] {
            #expect(self.problem(text)?.contains("nested more than 32 levels deep") == true)
        }
    }

    @Test func nestingThroughAliasesIsBounded() {
        let twenty = "&a " + String(repeating: "[", count: 20) + String(repeating: "]", count: 20)
        let deep = String(repeating: "[", count: 13) + "*a" + String(repeating: "]", count: 13)
        #expect(self.problem("[\(twenty), \(deep)]") == "f:1:60: error: nested more than 32 levels deep")
    }

    @Test func textThroughAliasesIsBounded() {
        let text = "- &a " + String(repeating: "x", count: 1 << 19) + "\n"
        #expect(self.problem(text + String(repeating: "- *a\n", count: 7)) == nil)
        #expect(self.problem(text + String(repeating: "- *a\n", count: 8))?.contains("stand for too much") == true)
    }

    @Test func manyRepeatedKeysAreAllThere() throws {
        guard case .mapping(let pairs, _) = try self.read(String(repeating: "a: 1\n", count: 200)).get() else {
            Issue.record("not a mapping")
            return
        }
        #expect(pairs.map(\.key) == (1...200).map { Self.scalar("a", $0, 1) })
    }

    @Test func hugeFileOfRoutesIsReadInTime() throws {
        let routes = (0..<10_000).map { "  GET /api/v1/things/\($0): {scopes: [thing:read]}\n" }.joined()
        let tree = try self.read("upstream: unix:/s\nroutes:\n" + routes).get()
        guard case .mapping(let pairs, _) = tree, case .mapping(let inner, _)? = pairs.last?.value else {
            Issue.record("not a mapping")
            return
        }
        #expect(inner.count == 10_000)
    }
}
