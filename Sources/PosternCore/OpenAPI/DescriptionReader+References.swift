// References within the document (Reference Object, RFC 6901).

extension DescriptionReader {
    /// How long a chain of references may be.
    private static let maximumReferences = 16

    /// The members of a mapping, those of what it refers to included; nil where it cannot be read. A member beside a
    /// reference counts as well, but one thing cannot be said in both places.
    mutating func members(of node: ConfigurationNode, path: String) -> [Member]? {
        var result: [Member] = []
        var marks: [String: Mark] = [:]
        var node = node
        var seen: Set<String> = []
        while true {
            guard case .mapping(let pairs, _) = node else {
                self.report("must be a mapping", at: node.mark, path: path)
                return nil
            }
            for pair in pairs {
                guard case .scalar(let key, let style, let mark) = pair.key else { continue }
                if key == "<<", style == .plain {
                    self.report("merge keys are not supported: write the keys out", at: mark, path: path)
                    return nil
                }
                guard key != "$ref" else { continue }
                if let first = marks[key] {
                    // A reference may say these two anew (OpenAPI 3.1).
                    guard key != "summary", key != "description" else { continue }
                    self.report(
                        "\(key) is said here and where the reference leads: keep one", at: first, path: path)
                    return nil
                }
                marks[key] = mark
                result.append(Member(key: key, mark: mark, value: pair.value))
            }
            guard let reference = node["$ref"] else { return result }
            guard let next = self.target(of: reference, path: path, seen: &seen) else { return nil }
            node = next
        }
    }

    private mutating func target(
        of reference: ConfigurationNode, path: String, seen: inout Set<String>
    ) -> ConfigurationNode? {
        let path = "\(path).$ref"
        guard let text = reference.text else {
            self.report("must be a string", at: reference.mark, path: path)
            return nil
        }
        guard text.utf8.first == UInt8(ascii: "#") else {
            self.report(
                "leads out of this document, to \(Words.quoted(text)): bundle all of it into one file first",
                at: reference.mark, path: path)
            return nil
        }
        guard seen.insert(text).inserted, seen.count <= Self.maximumReferences else {
            self.report("leads back to itself", at: reference.mark, path: path)
            return nil
        }
        guard let node = self.node(at: text.utf8.dropFirst()) else {
            self.report("\(Words.quoted(text)) leads nowhere", at: reference.mark, path: path)
            return nil
        }
        return node
    }

    /// What a JSON pointer leads to, as the fragment of a URI has it.
    private func node(at pointer: Substring.UTF8View) -> ConfigurationNode? {
        let written = Array(pointer)
        guard written.isEmpty || written.first == UInt8(ascii: "/") else { return nil }
        var node = self.root
        for step in written.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        where !written.isEmpty {
            let decoded = RoutePattern.decode(Substring(String(decoding: step, as: UTF8.self)))
            guard let key = Self.unescaped(decoded) else { return nil }
            if case .sequence(let items, _) = node {
                guard let index = Int(key), items.indices.contains(index) else { return nil }
                node = items[index]
            } else {
                guard let next = node[key] else { return nil }
                node = next
            }
        }
        return node
    }

    /// `~1` is a slash and `~0` a tilde.
    private static func unescaped(_ bytes: [UInt8]) -> String? {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "0"): result.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): result.append(UInt8(ascii: "/"))
            default: return nil
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
