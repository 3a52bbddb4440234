@testable import PosternCore

/// A table made from keys, and requests sent through it.
struct Routes {
    let table: RouteTable
    let patterns: [RoutePattern]

    init(_ keys: [String], _ options: TargetOptions = TargetOptions()) throws {
        self.patterns = try keys.map { try RoutePattern.parse($0, options: options) }
        self.table = try RouteTable(self.patterns)
    }

    /// What a request comes to, and the parameters as text. `padding` stands behind the path, as a request line's rest
    /// does.
    func match(_ request: String, padding: String = " HTTP/1.1") -> (match: RouteMatch, captures: [String]) {
        let words = request.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let bytes = Array((request + padding).utf8)
        let start = words[0].utf8.count + 1
        var captures = Captures()
        let match = self.table.match(
            bytes.span.bytes, path: ByteRange(start, request.utf8.count), hasEscapes: words[1].contains("%"),
            method: Method(name: words[0]) ?? .other, methodToken: ByteRange(0, start - 1), captures: &captures)
        let texts = (0..<captures.count).map { String(decoding: bytes[captures.range(of: $0).range], as: UTF8.self) }
        return (match, texts)
    }

    /// The text of the route that a request comes to; the outcome's name otherwise.
    func route(_ request: String) -> String {
        switch self.match(request).match {
        case .route(let index): self.patterns[index].text
        case .methodNotAllowed: "405"
        case .undeclared: "undeclared"
        }
    }

    func allowed(_ path: String) -> [String] {
        let bytes = Array(path.utf8)
        return self.table.allowedMethods(
            bytes.span.bytes, path: ByteRange(0, bytes.count), hasEscapes: path.contains("%"))
    }
}
