// Base paths: the paths of `servers`, or `basePath` of version 2.0.

extension DescriptionReader {
    /// What stands before every path where nothing more specific does.
    mutating func documentBase() -> String {
        if let given = self.givenBase { return given }
        guard self.version == .two else { return self.base(of: self.root["servers"], path: "servers") ?? "" }
        guard let node = self.root["basePath"], !node.isNull else { return "" }
        guard let text = node.text, text.utf8.first == UInt8(ascii: "/") else {
            self.report("must be a path that begins with \"/\"", at: node.mark, path: "basePath")
            return ""
        }
        return Self.trimmed(text)
    }

    /// The path of the first server of a list; nil where there is none. Others with other paths get a remark.
    mutating func base(of servers: ConfigurationNode?, path: String) -> String? {
        if let given = self.givenBase { return given }
        guard let servers, !servers.isNull else { return nil }
        guard case .sequence(let items, let mark) = servers else {
            self.report("must be a list", at: servers.mark, path: path)
            return nil
        }
        var bases: [String] = []
        for (index, item) in items.enumerated() {
            guard let base = self.base(ofServer: item, path: "\(path)[\(index)].url") else { continue }
            bases.append(base)
        }
        guard let first = bases.first else { return nil }
        let others = bases.unique.dropFirst().map { Words.quoted($0.isEmpty ? "/" : $0) }
        if !others.isEmpty {
            self.remarks.append(
                .init(
                    place: .init(mark: mark, path: path),
                    message: "the paths are those of the first server, \(Words.quoted(first.isEmpty ? "/" : first)); "
                        + "other servers have \(Words.list(Array(others), "and")): choose with --base-path"))
        }
        return first
    }

    private mutating func base(ofServer server: ConfigurationNode, path: String) -> String? {
        guard let node = server["url"], let url = node.text ?? (node.isNull ? nil : "") else {
            self.report("a server must have a url", at: server.mark, path: path)
            return nil
        }
        let text = Self.path(of: Self.replaced(url, by: server["variables"]))
        guard !text.contains("{") else {
            self.report(
                "has a variable without a default: give the path with --base-path", at: node.mark, path: path)
            return nil
        }
        if text.isEmpty || text == "." || text == "./" { return "" }
        guard text.utf8.first == UInt8(ascii: "/") else {
            self.report(
                "is relative to where the document is served: give the path with --base-path", at: node.mark,
                path: path)
            return nil
        }
        return Self.trimmed(text)
    }

    /// The URL with the defaults of its variables; a variable without one stays.
    private static func replaced(_ url: String, by variables: ConfigurationNode?) -> String {
        var result = ""
        var rest = url[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: open)..<close])
            result += rest[..<open]
            result += variables?[name]?["default"]?.text ?? "{}"
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// The path of a URL, whole or relative, without query and fragment.
    private static func path(of url: String) -> String {
        var bytes = Array(url.utf8)[...]
        bytes = bytes.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let slash = UInt8(ascii: "/")
        if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[(colon + 1)...].starts(with: [slash, slash]),
            !bytes[..<colon].contains(slash)
        {
            bytes = bytes[(colon + 1)...]
        }
        guard bytes.starts(with: [slash, slash]) else { return String(decoding: bytes, as: UTF8.self) }
        bytes = bytes.dropFirst(2).drop { $0 != slash }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func trimmed(_ path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
