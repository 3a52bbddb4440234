extension ConfigurationLoader {
    /// The reference of proxy.yaml as a Markdown page: every key with what it may be, its default and its meaning, section by
    /// section in the order of the schema's tables.
    ///
    /// It is made of the tables that read and check the file, so that it says neither more nor less than they do.
    public static func markdownReference() -> String {
        var reference = MarkdownReference()
        reference.add(Shape.document, path: "")
        return reference.text
    }
}

/// Writes sections one after the other. A section that stands in several places is written where it comes first; the other
/// places link there.
private struct MarkdownReference {
    private static let head = """
        # Configuration reference

        Every key of proxy.yaml. This page is the output of `postern schema --markdown`, made of the tables that check the file;
        a test compares the two. What the keys mean together is in [Routes and rules](policy.md).

        - Strings may hold `${NAME}` or `${NAME:-default}`, which are replaced from the environment; `$${` is a literal `${`.
        - A secret is a string or `{file: PATH}`; the file is read again at reload.
        - A duration is a whole number and `ms`, `s`, `m` or `h`; a size is a whole number and `B`, `KiB`, `MiB` or `GiB`.
        - Where "one or a list" stands, a single value needs no brackets.
        - A key that is not here is an error, and so is a key that is there twice.
        """

    private(set) var text = Self.head + "\n"
    /// The paths under which sections were written, by their summaries.
    private var written: [String: String] = [:]

    /// Writes the section, then those that its keys bring in.
    mutating func add(_ section: Section, path: String) {
        guard self.written[section.summary] == nil else { return }
        self.written[section.summary] = path
        self.text += "\n## \(path.isEmpty ? "proxy.yaml" : path)\n\n\(section.summary).\n"
        for group in section.exactlyOne {
            self.text += "\nExactly one of \(group.map { "`\($0)`" }.joined(separator: ", ")) is needed.\n"
        }
        // Named before the table that links to them is written.
        let inner = section.keys.flatMap { key in
            key.shape.sections(path: path.isEmpty ? key.name : "\(path).\(key.name)")
        }
        var places = self.written
        for each in inner where places[each.section.summary] == nil { places[each.section.summary] = each.path }
        self.text += "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
        for key in section.keys {
            let value = key.shape.markdown(places)
            self.text += "| `\(key.name)` | \(value) | \(key.markdownDefault) | \(key.markdownMeaning) |\n"
        }
        for each in inner { self.add(each.section, path: each.path) }
    }
}

extension Key {
    fileprivate var markdownDefault: String {
        if self.required { return "**required**" }
        switch self.absent {
        case .scalar(let text, _, _): return "`\(text)`"
        case .sequence(let items, _):
            let texts = items.map { if case .scalar(let text, _, _) = $0 { text } else { "…" } }
            return "`[\(texts.joined(separator: ", "))]`"
        case .mapping, nil: return ""
        }
    }

    fileprivate var markdownMeaning: String {
        let text = self.summary.markdownCell
        return self.availability == .now ? text : text + " (not available yet)"
    }
}

extension String {
    /// As the cell of a table, which `|` would end.
    fileprivate var markdownCell: String {
        var cell = ""
        for character in self { cell += character == "|" ? "\\|" : String(character) }
        return cell
    }
}

extension Shape {
    /// The sections that are the value, or part of it, with the paths of their keys.
    fileprivate func sections(path: String) -> [(section: Section, path: String)] {
        switch self {
        case .section(let section): [(section, path)]
        case .list(let item, _, _): item.sections(path: path)
        case .entries(_, let item, let noun): item.sections(path: "\(path).\(noun.uppercased())")
        case .either(let shapes): shapes.flatMap { $0.sections(path: path) }
        default: []
        }
    }

    /// What a value may be, as the cell of a table.
    ///
    /// - Parameter places: the paths under which sections are written, by their summaries.
    fileprivate func markdown(_ places: [String: String]) -> String {
        switch self {
        case .text(let format): format.description.markdownCell
        case .secret(let minimum): minimum > 1 ? "a secret of \(minimum) bytes or more" : "a secret"
        case .boolean: "`true` or `false`"
        case .integer(let range) where range.lowerBound == range.upperBound: "`\(range.lowerBound)`"
        case .integer(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .duration(let range):
            "a duration from `\(Nanoseconds.text(range.lowerBound))` to `\(Nanoseconds.text(range.upperBound))`"
        case .size(let range):
            "a size from `\(ByteSize.text(range.lowerBound))` to `\(ByteSize.text(range.upperBound))`"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .list(let item, _, true): "one or a list: \(item.markdown(places))"
        case .list(let item, let minimum, false):
            "a list\(minimum > 0 ? " of at least one" : ""): \(item.markdown(places))"
        case .section(let section): Self.link(section, places)
        case .entries(let key, let item, let noun):
            "a mapping; key: the \(noun), \(key.description.markdownCell); value: \(item.markdown(places))"
        case .scalar: "a string, a number, `true` or `false`"
        case .object: "a JSON object"
        case .either(let shapes): shapes.map { $0.markdown(places) }.joined(separator: "; or ")
        }
    }

    /// A link to where the section is written. Anchors are made as renderers of Markdown make them: small letters, no dots.
    private static func link(_ section: Section, _ places: [String: String]) -> String {
        let path = places[section.summary] ?? ""
        let anchor = path.lowercased().filter { $0 != "." }
        return "a mapping: [\(path)](#\(anchor))"
    }
}
