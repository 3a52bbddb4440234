@testable import PosternCore

/// A tree from one line of flow YAML, so that a row of a table shows what its author would write:
/// `{a: 1, b: "text", c: [x, {d: true}]}`. Columns are those of the line. Plain scalars end at `,`, a bracket or `: `.
struct FlowNode {
    private var rest: Substring
    private var column = 1

    static func parse(_ text: String) -> ConfigurationNode {
        var parser = FlowNode(rest: text[...])
        let node = parser.value()
        precondition(parser.rest.allSatisfy { $0 == " " }, "cannot read \(text)")
        return node
    }

    private mutating func take() -> Character {
        self.column += 1
        return self.rest.isEmpty ? " " : self.rest.removeFirst()
    }

    private mutating func skipSpaces() {
        while self.rest.first == " " { _ = self.take() }
    }

    private var mark: Mark { Mark(line: 1, column: self.column) }

    private mutating func value() -> ConfigurationNode {
        self.skipSpaces()
        switch self.rest.first {
        case "{": return self.mapping()
        case "[": return self.sequence()
        case "\"": return self.quoted()
        default: return self.plain()
        }
    }

    private mutating func mapping() -> ConfigurationNode {
        let mark = self.mark
        var pairs: [ConfigurationNode.Pair] = []
        _ = self.take()
        self.skipSpaces()
        while let next = self.rest.first, next != "}" {
            let key = self.value()
            self.skipSpaces()
            let hasValue = self.rest.first == ":"
            if hasValue { _ = self.take() }
            let value = hasValue ? self.value() : ConfigurationNode.scalar("", style: .plain, mark: self.mark)
            pairs.append(ConfigurationNode.Pair(key: key, value: value))
            self.skipSpaces()
            if self.rest.first == "," { _ = self.take() }
            self.skipSpaces()
        }
        _ = self.take()
        return .mapping(pairs, mark: mark)
    }

    private mutating func sequence() -> ConfigurationNode {
        let mark = self.mark
        var items: [ConfigurationNode] = []
        _ = self.take()
        self.skipSpaces()
        while let next = self.rest.first, next != "]" {
            items.append(self.value())
            self.skipSpaces()
            if self.rest.first == "," { _ = self.take() }
            self.skipSpaces()
        }
        _ = self.take()
        return .sequence(items, mark: mark)
    }

    private mutating func quoted() -> ConfigurationNode {
        let mark = self.mark
        _ = self.take()
        var text = ""
        while let next = self.rest.first, next != "\"" { text.append(next == "\\" ? self.escaped() : self.take()) }
        _ = self.take()
        return .scalar(text, style: .quoted, mark: mark)
    }

    private mutating func escaped() -> Character {
        _ = self.take()
        let character = self.take()
        return character == "n" ? "\n" : character
    }

    private mutating func plain() -> ConfigurationNode {
        let mark = self.mark
        var text = ""
        while let next = self.rest.first, !",{}[]".contains(next), !self.rest.hasPrefix(": "),
            !(next == ":" && self.rest.dropFirst().isEmpty)
        { text.append(self.take()) }
        while text.last == " " { text.removeLast() }
        return .scalar(text, style: .plain, mark: mark)
    }
}

/// Loads documents of one line against a small made-up world.
enum World {
    static let secret = String(repeating: "s", count: 32)

    static let environment = ConfigurationEnvironment(
        variable: { name in
            ["SECRET": World.secret, "EMPTY": "", "NUMBER": "7", "HOST": "127.0.0.1", "ODD": "a\"b\n"][name]
        },
        file: { path in
            guard let text = World.files[path] else { return .failure(.init(reason: "No such file or directory")) }
            return .success(Array(text.utf8))
        })

    static let jwk = #"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#

    static let files = [
        "secret": secret + "\n",
        "short": "abc\n",
        "empty": "",
        "own.pem": "a certificate",
        "own.key": "a key",
        "token": "Bearer x\r\n",
        "jwk.json": jwk,
        "jwks.json": "{\"keys\": [\(jwk), {\"kty\": \"XYZ\"}]}",
        "none.json": #"{"keys": []}"#,
        "bad.json": #"{"keys": "#,
        "public.pem": "# comment\n-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
        "private.pem": "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
    ]

    static func load(_ text: String) -> Result<LoadedConfiguration, ConfigurationProblems> {
        ConfigurationLoader.load(FlowNode.parse(text), environment: self.environment)
    }

    /// The configuration; fails the test that asks for it where there is none.
    static func configuration(_ text: String) throws -> Configuration {
        try self.load(text).get().configuration
    }

    /// `column path: message` for every error, warnings marked.
    static func problems(_ text: String) -> [String] {
        switch self.load(text) {
        case .success(let loaded): loaded.warnings.map { Self.text($0) }
        case .failure(let problems): problems.problems.map { Self.text($0) }
        }
    }

    private static func text(_ problem: ConfigurationProblem) -> String {
        let line = problem.line(file: "f")
        return String(line.dropFirst("f:1:".count))
    }
}
