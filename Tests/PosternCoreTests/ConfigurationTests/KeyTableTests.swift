import Testing

@testable import PosternCore

/// One row for every key of proxy.yaml: what is accepted, and what is refused with which message.
///
/// `place` is a document with `KEY` where `key: value` goes.
struct KeyRow: Sendable, CustomTestStringConvertible {
    var path: String
    var place: String
    var good: [String]
    /// Values and what the message must say.
    var bad: [(value: String, message: String)]

    init(_ path: String, in place: String = "{upstream: unix:/s, KEY}", good: [String], bad: [(String, String)]) {
        self.path = path
        self.place = place
        self.good = good
        self.bad = bad.map { (value: $0.0, message: $0.1) }
    }

    var testDescription: String { self.path }

    /// The last part of the path.
    private var key: String { self.path.split(separator: ".").last.map(String.init) ?? self.path }

    func document(_ value: String) -> String {
        let parts = self.place.split(separator: "KEY", maxSplits: 1, omittingEmptySubsequences: false)
        return "\(parts[0])\(self.key): \(value)\(parts[1])"
    }

    /// Whether a problem is about this row's key.
    func concerns(_ problem: ConfigurationProblem) -> Bool {
        problem.path == self.path || problem.path.hasPrefix(self.path + "[") || problem.path.hasPrefix(self.path + ".")
    }
}

@Suite struct KeyTableTests {
    @Test(arguments: KeyTable.rows)
    func goodValueIsAccepted(row: KeyRow) {
        for value in row.good {
            guard case .failure(let problems) = World.load(row.document(value)) else { continue }
            let own = problems.errors.filter { row.concerns($0) && !$0.message.contains("not available yet") }
            #expect(own.isEmpty, "\(row.document(value))")
        }
    }

    @Test(arguments: KeyTable.rows)
    func badValueIsRefusedAtItsKey(row: KeyRow) {
        for (value, message) in row.bad {
            guard case .failure(let problems) = World.load(row.document(value)) else {
                Issue.record("accepted: \(row.document(value))")
                continue
            }
            let found = problems.errors.contains { row.concerns($0) && $0.line(file: "").contains(message) }
            #expect(found, "\(row.document(value)): \(problems.errors.map { $0.line(file: "") })")
        }
    }

    @Test(arguments: KeyTable.rows)
    func keyWithoutAValueIsRefused(row: KeyRow) {
        for nothing in ["", "~", "null"] {
            guard case .failure(let problems) = World.load(row.document(nothing)) else {
                Issue.record("accepted: \(row.document(nothing))")
                continue
            }
            #expect(problems.errors.contains { row.concerns($0) && $0.message.hasPrefix("has no value") })
        }
    }

    @Test func everyKeyOfTheSchemaHasARow() {
        let named = Set(KeyTable.rows.map(\.path))
        let all = Self.paths(of: Shape.document, under: "")
        #expect(all.filter { !named.contains($0) }.isEmpty)
        #expect(named.filter { !all.contains($0) }.isEmpty)
    }

    /// Every key, entries under a name that the rows use.
    private static func paths(of section: Section, under path: String) -> [String] {
        section.keys.flatMap { key in
            let own = path.isEmpty ? key.name : "\(path).\(key.name)"
            return [own] + Self.sections(of: key.shape, at: own).flatMap { Self.paths(of: $0.section, under: $0.path) }
        }
    }

    private static func sections(of shape: Shape, at path: String) -> [(section: Section, path: String)] {
        switch shape {
        case .section(let section): [(section, path)]
        case .either(let shapes): shapes.flatMap { Self.sections(of: $0, at: path) }
        case .list(let item, _, _): Self.sections(of: item, at: path + "[0]")
        case .entries(_, let item, let noun): Self.sections(of: item, at: "\(path).\(noun == "route" ? "GET /r" : "i")")
        default: []
        }
    }
}
