import Testing

@testable import PosternCore

@Suite struct MarkdownReferenceTests {
    private static let lines = ConfigurationLoader.markdownReference().split(separator: "\n").map(String.init)

    /// The rows of the tables, and the headings that they stand under.
    private static func rows() -> [(heading: String, cells: [String])] {
        var heading = ""
        var rows: [(heading: String, cells: [String])] = []
        for line in Self.lines {
            if line.hasPrefix("## ") { heading = String(line.dropFirst(3)) }
            guard line.hasPrefix("| `") else { continue }
            let cells = line.dropFirst(2).dropLast(2).split(separator: " | ", omittingEmptySubsequences: false)
            rows.append((heading, cells.map(String.init)))
        }
        return rows
    }

    @Test func everySectionOfTheSchemaIsWrittenOnceWithAllItsKeys() {
        var sections: [String: Section] = [:]
        Self.collect(.section(Shape.document), into: &sections)
        for section in sections.values {
            #expect(Self.lines.filter { $0 == section.summary + "." }.count == 1, "\(section.summary)")
        }
        #expect(Self.rows().count == sections.values.map(\.keys.count).reduce(0, +))
    }

    private static func collect(_ shape: Shape, into sections: inout [String: Section]) {
        switch shape {
        case .section(let section):
            guard sections.updateValue(section, forKey: section.summary) == nil else { return }
            for key in section.keys { Self.collect(key.shape, into: &sections) }
        case .list(let item, _, _), .entries(_, let item, _): Self.collect(item, into: &sections)
        case .either(let shapes): for each in shapes { Self.collect(each, into: &sections) }
        default: break
        }
    }

    /// One section written under one summary: two that shared theirs would be taken for one.
    @Test func sectionsWithOneSummaryAreTheSame() {
        var sections: [String: [String]] = [:]
        func visit(_ shape: Shape) {
            switch shape {
            case .section(let section):
                let keys = section.keys.map(\.name)
                if let seen = sections[section.summary] {
                    #expect(seen == keys, "\(section.summary)")
                } else {
                    sections[section.summary] = keys
                    for key in section.keys { visit(key.shape) }
                }
            case .list(let item, _, _), .entries(_, let item, _): visit(item)
            case .either(let shapes): for each in shapes { visit(each) }
            default: break
            }
        }
        visit(.section(Shape.document))
        #expect(sections.count > 15)
    }

    @Test(arguments: [
        (
            "proxy.yaml",
            [
                "`upstream`",
                "a URL such as \"http://127.0.0.1:8001\", or \"unix:/run/service.sock\"; or a mapping:"
                    + " [upstream](#upstream)", "**required**", "The service behind the proxy",
            ]
        ),
        (
            "timeouts",
            ["`head`", "a duration from `1ms` to `24h`", "`10s`", "From the first byte of a request head to its end"]
        ),
        ("limits", ["`head`", "a size from `1KiB` to `1MiB`", "`32KiB`", "Request line and headers together"]),
        (
            "issuers.ISSUER.keys",
            [
                "`secret`", "a secret of 32 bytes or more", "",
                "The shared secret of HMAC algorithms, 32 bytes or more",
            ]
        ),
        (
            "routes.ROUTE",
            [
                "`upstream`",
                "a URL such as \"http://127.0.0.1:8001\", or \"unix:/run/service.sock\"; or a mapping:"
                    + " [upstream](#upstream)", "", "Instead of upstream",
            ]
        ),
    ])
    func rowSaysWhatTheTableSays(heading: String, cells: [String]) {
        #expect(Self.rows().contains { $0.heading == heading && $0.cells == cells }, "\(heading) \(cells)")
    }

    @Test func linksLeadToHeadings() {
        let anchors = Set(
            Self.lines.filter { $0.hasPrefix("## ") }.map { $0.dropFirst(3).lowercased().filter { $0 != "." } })
        for row in Self.rows() {
            for part in row.cells[1].components(after: "](#") {
                #expect(anchors.contains(part), "\(row.heading) \(row.cells[0]): #\(part)")
            }
        }
    }
}

extension String {
    /// What stands between each `mark` and the next `)`.
    fileprivate func components(after mark: String) -> [String] {
        var found: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: mark) {
            rest = rest[range.upperBound...]
            found.append(String(rest.prefix { $0 != ")" }))
        }
        return found
    }
}
