extension SchemaReader {
    /// A key of a mapping, checked: text, written once, no merge key.
    struct KeyedNode {
        var key: String
        var mark: Mark
        var value: ConfigurationNode
    }

    mutating func readSection(
        _ pairs: [ConfigurationNode.Pair], mark: Mark, as section: Section, path: String
    ) -> Field? {
        var fields: [String: Field] = [:]
        var marks: [String: Mark] = [:]
        var meant: Set<String> = []
        for pair in self.keyed(pairs, path: path) {
            let keyPath = Self.join(path, pair.key)
            guard let key = section.key(pair.key) else {
                let suggestion = self.reportUnknown(pair.key, in: section, at: pair.mark, path: keyPath)
                if let suggestion { meant.insert(suggestion) }
                continue
            }
            marks[key.name] = pair.mark
            if key.availability == .later {
                self.report("is not available yet: remove it", at: pair.mark, path: keyPath)
            }
            guard let field = self.read(pair.value, as: key.shape, path: keyPath) else { continue }
            fields[key.name] = field
        }
        for key in section.keys where marks[key.name] == nil {
            if key.required {
                // A key that is there but misspelled is one problem, not two.
                guard !meant.contains(key.name) else { continue }
                self.report("is required: \(key.summary)", at: mark, path: Self.join(path, key.name))
            } else if let absent = key.absent {
                fields[key.name] = self.standard(absent, of: key, mark: mark, path: path)
            }
        }
        for group in section.exactlyOne where meant.isDisjoint(with: group) {
            self.checkExactlyOne(of: group, marks: marks, mark: mark, path: path)
        }
        return Field(value: .section(fields), mark: mark, path: path)
    }

    mutating func readEntries(
        _ pairs: [ConfigurationNode.Pair], mark: Mark, key format: TextFormat, of shape: Shape, path: String
    ) -> Field? {
        var entries: [Field.Entry] = []
        for pair in self.keyed(pairs, path: path) {
            let keyPath = Self.join(path, pair.key)
            if let problem = format.problem(with: pair.key) {
                self.report("the key must be \(format.description)\(problem.suffix)", at: pair.mark, path: keyPath)
            }
            guard let field = self.read(pair.value, as: shape, path: keyPath) else { continue }
            entries.append(Field.Entry(key: pair.key, mark: pair.mark, field: field))
        }
        return Field(value: .entries(entries), mark: mark, path: path)
    }

    /// The pairs whose keys are fine.
    mutating func keyed(_ pairs: [ConfigurationNode.Pair], path: String) -> [KeyedNode] {
        var result: [KeyedNode] = []
        var lines: [String: Int] = [:]
        for pair in pairs {
            guard case .scalar(let key, let style, let mark) = pair.key, !key.isEmpty else {
                self.report("a key must be a string", at: pair.key.mark, path: path)
                continue
            }
            if key == "<<", style == .plain {
                self.report("merge keys are not supported: write the keys out", at: mark, path: Self.join(path, key))
            } else if let line = lines[key] {
                self.report("is written twice; the first is in line \(line)", at: mark, path: Self.join(path, key))
            } else {
                lines[key] = mark.line
                result.append(KeyedNode(key: key, mark: mark, value: pair.value))
            }
        }
        return result
    }

    private mutating func reportUnknown(_ key: String, in section: Section, at mark: Mark, path: String) -> String? {
        let names = section.keys.map(\.name)
        let suggestion = NearMiss.suggestion(for: key, among: names)
        let known = suggestion == nil && names.count <= 12 ? "; known here: \(names.joined(separator: ", "))" : ""
        self.report("unknown key\(known)", at: mark, path: path, suggestion: suggestion)
        return suggestion
    }

    /// A default is read like a written value, so that a table with an impossible one fails the tests.
    private mutating func standard(_ node: ConfigurationNode, of key: Key, mark: Mark, path: String) -> Field? {
        var field = self.read(node, as: key.shape, path: Self.join(path, key.name))
        field?.mark = mark
        field?.isWritten = false
        return field
    }

    private mutating func checkExactlyOne(of group: [String], marks: [String: Mark], mark: Mark, path: String) {
        let given = group.compactMap { name in marks[name].map { (name: name, mark: $0) } }
            .sorted { $0.mark < $1.mark }
        let names = group.map { "\"\($0)\"" }.joined(separator: ", ")
        guard let first = given.first else {
            self.report("one of \(names) is required", at: mark, path: path)
            return
        }
        for other in given.dropFirst() {
            self.report(
                "only one of \(names) may be given; \"\(first.name)\" is in line \(first.mark.line)",
                at: other.mark, path: Self.join(path, other.name))
        }
    }

    static func join(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }
}
