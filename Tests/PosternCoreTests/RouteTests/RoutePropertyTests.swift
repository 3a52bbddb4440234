import Testing

@testable import PosternCore

/// 2-configuration's words on matching, taken literally: try every pattern, keep the most specific.
private struct NaiveMatcher {
    let patterns: [RoutePattern]

    func match(_ method: String, _ segments: [[UInt8]]) -> RouteMatch {
        let declared = self.patterns.indices.filter { Self.matches(self.patterns[$0].segments, segments) }
        let candidates = declared.filter { Self.rank(self.patterns[$0].methods, method) != nil }
        guard let best = candidates.min(by: { self.precedes($0, $1, method) }) else {
            return declared.isEmpty ? .undeclared : .methodNotAllowed
        }
        return .route(best)
    }

    func allowed(_ segments: [[UInt8]]) -> Set<String> {
        var names: Set<String> = []
        for pattern in self.patterns where Self.matches(pattern.segments, segments) {
            guard case .named(let methods) = pattern.methods else { continue }
            names.formUnion(methods)
            if methods.contains("GET") { names.insert("HEAD") }
        }
        return names
    }

    private static func matches(_ pattern: [RoutePattern.Segment], _ path: [[UInt8]]) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if case .rest = first { return !path.isEmpty }
        guard let segment = path.first else { return false }
        switch first {
        case .literal(let bytes): guard bytes == segment else { return false }
        default: guard !segment.isEmpty else { return false }
        }
        return Self.matches(Array(pattern.dropFirst()), Array(path.dropFirst()))
    }

    private static func rank(_ methods: RoutePattern.Methods, _ method: String) -> Int? {
        switch methods {
        case .any: 2
        case .named(let names): names.contains(method) ? 0 : method == "HEAD" && names.contains("GET") ? 1 : nil
        }
    }

    private func precedes(_ left: Int, _ right: Int, _ method: String) -> Bool {
        func ranks(_ index: Int) -> [Int] {
            self.patterns[index].segments.map { segment in
                switch segment {
                case .literal: 0
                case .parameter: 1
                case .rest: 2
                }
            } + [3, Self.rank(self.patterns[index].methods, method) ?? 3]
        }
        return ranks(left).lexicographicallyPrecedes(ranks(right))
    }
}

@Suite struct RoutePropertyTests {
    private static let literals = [
        "a", "b", "", "longer-than-eight", "longer-than-eighT", "caf%C3%A9", "12345678", "%25",
    ]
    private static let methods = ["GET", "HEAD", "POST", "ANY", "BREW", "GET|POST", "PUT|BREW", "brew"]
    private static let requests = ["GET", "HEAD", "POST", "PUT", "DELETE", "BREW", "brew", "TEA"]
    private static let options = TargetOptions(allowEmptySegments: true)

    private static func key(_ numbers: inout SeededNumbers) -> String {
        let count = Int.random(in: 1...4, using: &numbers)
        var path = ""
        for i in 0..<count {
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0, 1: path += "/{p\(i)}"
            case 2 where i == count - 1: path += "/{r...}"
            default: path += "/" + numbers.pick(self.literals)
            }
        }
        return numbers.pick(self.methods) + " " + path
    }

    /// A path segment with some of its bytes percent-encoded that need not be.
    private static func disguise(_ segment: String, _ numbers: inout SeededNumbers) -> String {
        guard !segment.contains("%"), Int.random(in: 0..<3, using: &numbers) == 0 else { return segment }
        var bytes: [UInt8] = []
        for byte in segment.utf8 {
            if Bool.random(using: &numbers) { bytes.appendEscape(of: byte) } else { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decoded(_ segment: String) -> [UInt8] {
        let bytes = Array(segment.utf8)
        var result: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == UInt8(ascii: "%"), let value = UInt8(segment.utf8.dropFirst(i + 1).prefix(2).text, radix: 16)
            {
                result.append(value)
                i += 3
            } else {
                result.append(bytes[i])
                i += 1
            }
        }
        return result
    }

    @Test("the table and a naive matcher agree on 60,000 requests over 2,000 random policies", arguments: 0..<4)
    func agreesWithNaiveMatcher(_ seed: Int) throws {
        var numbers = SeededNumbers(seed: UInt64(seed) + 1000)
        var outcomes: [String: Int] = [:]
        for _ in 0..<500 {
            var patterns: [RoutePattern] = []
            for _ in 0..<Int.random(in: 1...14, using: &numbers) {
                let pattern = try RoutePattern.parse(Self.key(&numbers), options: Self.options)
                // What conflicts with the ones before it is left out.
                if (try? RouteTable(patterns + [pattern])) != nil { patterns.append(pattern) }
            }
            let routes = RoutesUnderTest(patterns: patterns, table: try RouteTable(patterns))
            let naive = NaiveMatcher(patterns: patterns)
            for _ in 0..<30 {
                let segments = (0..<Int.random(in: 1...5, using: &numbers)).map { _ in
                    Self.disguise(numbers.pick(Self.literals + ["x", "zz"]), &numbers)
                }
                let method = numbers.pick(Self.requests)
                let path = "/" + segments.joined(separator: "/")
                let expected = naive.match(method, segments.map(Self.decoded))
                let actual = routes.match(method, path, padded: Bool.random(using: &numbers))
                #expect(actual == expected, "\(method) \(path) in \(patterns.map(\.text))")
                outcomes[expected.kind, default: 0] += 1
                guard expected == .methodNotAllowed else { continue }
                #expect(Set(routes.allowed(path)) == naive.allowed(segments.map(Self.decoded)), "\(path)")
            }
        }
        #expect(outcomes.values.allSatisfy { $0 > 300 } && outcomes.count == 3, "\(outcomes)")
    }

    @Test("plain and escaped reading of a segment give the same values, at every length and offset")
    func scansAgree() {
        for length in 0..<40 {
            let literal = (0..<length).map { UInt8(0x30 + $0) }.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "z") : $0 }
            var escaped: [UInt8] = []
            for (i, byte) in literal.enumerated() {
                if i % 3 == 1 { escaped.appendEscape(of: byte) } else { escaped.append(byte) }
            }
            let expected = SegmentScan(literal: literal)
            for suffix in ["", "/", "/x", " HTTP/1.1\r\n", "//////////"] {
                for prefix in 0..<3 {
                    let lead = [UInt8](repeating: UInt8(ascii: "/"), count: prefix)
                    let plainBytes = lead + literal + Array(suffix.utf8)
                    let limit = suffix.hasPrefix("/") ? plainBytes.count : prefix + length
                    let plain = SegmentScan(plain: plainBytes.span.bytes, from: prefix, limit: limit)
                    #expect(plain.isSame(as: expected) && plain.end == prefix + length)
                    let other = lead + escaped + Array(suffix.utf8)
                    let end = prefix + escaped.count
                    let decoded = SegmentScan(
                        escaped: other.span.bytes, from: prefix, limit: suffix.hasPrefix("/") ? other.count : end)
                    #expect(decoded.isSame(as: expected) && decoded.end == end)
                }
            }
        }
    }

    @Test("ten thousand routes are each found, and none of their neighbours")
    func tenThousandRoutes() throws {
        let keys = (0..<10_000).map { "GET /api/v\($0 % 7)/service-\($0 / 50)/things/\($0)/{id}" }
        let routes = try Routes(keys)
        for index in keys.indices {
            let path = "GET /api/v\(index % 7)/service-\(index / 50)/things/\(index)"
            #expect(routes.match(path + "/x").match == .route(index))
            #expect(routes.match(path + "0/x").match != .route(index))
            #expect(routes.match(path).match == .undeclared)
        }
    }
}

/// Requests against a table, without parsing keys again.
private struct RoutesUnderTest {
    var patterns: [RoutePattern]
    var table: RouteTable

    func match(_ method: String, _ path: String, padded: Bool) -> RouteMatch {
        let bytes = Array((method + path + (padded ? " HTTP/1.1" : "")).utf8)
        var captures = Captures()
        let start = method.utf8.count
        return self.table.match(
            bytes.span.bytes, path: ByteRange(start, start + path.utf8.count), hasEscapes: path.contains("%"),
            method: Method(name: method) ?? .other, methodToken: ByteRange(0, start), captures: &captures)
    }

    func allowed(_ path: String) -> [String] {
        let bytes = Array(path.utf8)
        return self.table.allowedMethods(
            bytes.span.bytes, path: ByteRange(0, bytes.count), hasEscapes: path.contains("%"))
    }
}

extension SegmentScan {
    fileprivate func isSame(as other: SegmentScan) -> Bool {
        self.length == other.length && self.head == other.head && self.hash == other.hash
    }
}

extension RouteMatch {
    /// The outcome's name.
    fileprivate var kind: String {
        switch self {
        case .route: "route"
        case .methodNotAllowed: "methodNotAllowed"
        case .undeclared: "undeclared"
        }
    }
}

extension Sequence<UInt8> {
    fileprivate var text: String { String(decoding: Array(self), as: UTF8.self) }
}
