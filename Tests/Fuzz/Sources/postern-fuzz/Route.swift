import PosternCore

/// The input's lines that are route keys make a table; every line that is a target is looked up in it, and by the
/// plainest search there is.
func fuzzRoute(_ input: [UInt8]) {
    guard input.count <= 2048 else { return }
    let lines = input.parts("\n", at: 40)
    let options = TargetOptions()
    let patterns = lines.compactMap { try? RoutePattern.parse(String(decoding: $0, as: UTF8.self), options: options) }
    let table: RouteTable
    do throws(RouteConflict) {
        table = try RouteTable(patterns)
    } catch {
        check(error.first != error.second, "two routes conflict")
        check(
            patterns.indices.contains(error.first) && patterns.indices.contains(error.second), "they are of the table")
        return
    }
    var captures = Captures()
    for line in lines {
        guard let target = try? CheckedTarget.check(line.span.bytes, ByteRange(0, line.count), options: options) else {
            continue
        }
        for method in [Method.get, .head, .post, .delete] {
            let found = table.match(
                line.span.bytes, path: target.path, hasEscapes: target.hasEscapes, method: method, methodToken: .none,
                captures: &captures)
            let plain = plainMatch(patterns, line, target, method)
            check(found == plain, "\(method.name): found \(found), by plain search \(plain)")
            if case .route(let index) = found {
                check(captures.count == patterns[index].parameters.count, "each parameter has its range")
                for parameter in 0..<captures.count {
                    let range = captures.range(of: parameter)
                    check(
                        range.start >= target.path.start && range.end <= target.path.end, "a parameter is in the path")
                }
            }
            let allowed = table.allowedMethods(line.span.bytes, path: target.path, hasEscapes: target.hasEscapes)
            check(allowed.isEmpty == (found == .undeclared), "a declared path has methods")
        }
    }
}

/// Route matching as 2-configuration says it, without any index.
private func plainMatch(
    _ patterns: [RoutePattern], _ line: [UInt8], _ target: CheckedTarget, _ method: Method
) -> RouteMatch {
    let path = target.path.isEmpty ? Array("/".utf8) : Array(line[target.path.range])
    let segments = path.parts("/").dropFirst().map { percentDecoded($0) ?? $0 }
    let onPath = patterns.indices.filter { matches(patterns[$0].segments, segments) }
    if onPath.isEmpty { return .undeclared }
    let competing = onPath.filter { methodRank(patterns[$0].methods, method) != nil }
    let best = competing.min { left, right in
        let (a, b) = (patterns[left], patterns[right])
        let (ranksA, ranksB) = (a.segments.map(rank), b.segments.map(rank))
        if ranksA != ranksB { return ranksA.lexicographicallyPrecedes(ranksB) }
        return (methodRank(a.methods, method) ?? 3) < (methodRank(b.methods, method) ?? 3)
    }
    return best.map(RouteMatch.route) ?? .methodNotAllowed
}

private func rank(_ segment: RoutePattern.Segment) -> Int {
    switch segment {
    case .literal: 0
    case .parameter: 1
    case .rest: 2
    }
}

private func matches(_ pattern: [RoutePattern.Segment], _ segments: [[UInt8]]) -> Bool {
    for (index, part) in pattern.enumerated() {
        switch part {
        case .rest: return segments.count > index
        case .literal(let text): if index >= segments.count || segments[index] != text { return false }
        case .parameter: if index >= segments.count || segments[index].isEmpty { return false }
        }
    }
    return pattern.count == segments.count
}

/// The lower, the more specific; nil where the method is not matched. `GET` matches HEAD, after an explicit HEAD.
private func methodRank(_ methods: RoutePattern.Methods, _ method: Method) -> Int? {
    switch methods {
    case .any: return 2
    case .named(let names):
        if names.contains(method.name) { return 0 }
        return method == .head && names.contains("GET") ? 1 : nil
    }
}
