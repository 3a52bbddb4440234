// Ways around a rule: an open route that answers what a protected one seems to guard.

extension PolicyAnalysis {
    /// Warns of open routes below a protected `{name...}`. A catch-all of everything is no prefix: the exceptions from
    /// it are what a policy is made of.
    mutating func checkExceptions() {
        var guards: [[UInt8]: [Int]] = [:]
        for (index, route) in self.routes.enumerated() where !route.access.isOpen && route.pattern.hasRest {
            guard route.pattern.segments.count > 1 else { continue }
            guards[Self.key(route.pattern.segments.dropLast()), default: []].append(index)
        }
        guard !guards.isEmpty else { return }
        for (index, route) in self.routes.enumerated() where route.access.isOpen && route.pattern.segments.count > 1 {
            for length in 1..<route.pattern.segments.count {
                let candidates = guards[Self.key(route.pattern.segments.prefix(length))] ?? []
                guard let other = candidates.first(where: { self.sharesMethod(index, $0) }) else { continue }
                self.warn(
                    .suspicious, index,
                    "open to everybody below \(self.text(other)), which is protected; is the exception meant?")
                break
            }
        }
    }

    /// Warns of two paths that differ in nothing but upper and lower case.
    mutating func checkSpellings() {
        var first: [[UInt8]: (index: Int, key: [UInt8])] = [:]
        for (index, route) in self.routes.enumerated() {
            let key = Self.key(route.pattern.segments[...])
            let folded = key.map { $0.asciiLowercased }
            guard let other = first[folded] else {
                first[folded] = (index, key)
                continue
            }
            guard other.key != key else { continue }
            self.warn(
                .suspicious, index, "differs from \(self.text(other.index)) only in case; paths are case-sensitive")
        }
    }

    /// The segments as one key: parameters alike whatever their names, literals by their bytes.
    private static func key(_ segments: ArraySlice<RoutePattern.Segment>) -> [UInt8] {
        var key: [UInt8] = []
        for segment in segments {
            // No literal holds a control character, so these cannot be mistaken for one.
            switch segment {
            case .literal(let bytes): key += bytes + [0]
            case .parameter: key += [1, 0]
            case .rest: key += [2, 0]
            }
        }
        return key
    }

    private func sharesMethod(_ left: Int, _ right: Int) -> Bool {
        let (left, right) = (self.routes[left].pattern.methods, self.routes[right].pattern.methods)
        switch (left, right) {
        case (.any, _), (_, .any): return true
        case (.named(let left), .named(let right)): return left.contains { right.contains($0) }
        }
    }
}

// MARK: - Detours

extension PolicyAnalysis {
    /// Requests close to what a protected route names, and how they differ.
    private struct Detour {
        var path: [UInt8]
        var method: String
    }

    /// Sends the neighbours of each protected route through the table: the same path with another method, with or
    /// without the last slash, and in each odd spelling that `options` lets through. Where an open route answers, it
    /// gets one warning with the first example.
    mutating func checkDetours() {
        var found: [Int: (example: String, guardian: Int, count: Int)] = [:]
        var captures = Captures(capacity: self.table.maximumParameters)
        for (index, route) in self.routes.enumerated() where !route.access.isOpen {
            var seen: Set<Int> = []
            for detour in self.detours(of: route.pattern) {
                guard let other = self.target(of: detour, &captures), self.routes[other].access.isOpen,
                    seen.insert(other).inserted
                else { continue }
                let example = "\(detour.method) \(String(decoding: detour.path, as: UTF8.self))"
                found[other, default: (example, index, 0)].count += 1
            }
        }
        for (index, detour) in found {
            let more = detour.count > 1 ? " (and \(detour.count - 1) more like it)" : ""
            self.warn(
                .suspicious, index,
                "open to everybody, and it also answers \(detour.example) beside the protected "
                    + "\(self.text(detour.guardian))\(more)")
        }
    }

    private func detours(of pattern: RoutePattern) -> [Detour] {
        let path = Self.sample(of: pattern)
        let named: [String] =
            switch pattern.methods {
            case .any: ["GET"]
            case .named(let names): names
            }
        var detours = ["GET", "POST", "PUT", "PATCH", "DELETE"].map { Detour(path: path, method: $0) }
        for method in named {
            detours += self.spellings(of: path).map { Detour(path: $0, method: method) }
        }
        return detours
    }

    /// Other paths that lenient servers read as this one.
    private func spellings(of path: [UInt8]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        var spellings: [[UInt8]] = []
        if path.count > 1 { spellings.append(path.last == slash ? Array(path.dropLast()) : path + [slash]) }
        if self.options.allowEmptySegments { spellings.append([slash] + path) }
        if self.options.allowSemicolon, path.last != slash { spellings.append(path + Array(";x".utf8)) }
        if self.options.allowEncodedSlash {
            var encoded: [UInt8] = []
            for (i, byte) in path.enumerated() {
                if byte == slash, i > 0 { encoded.appendEscape(of: byte) } else { encoded.append(byte) }
            }
            if encoded != path { spellings.append(encoded) }
        }
        return spellings
    }

    /// A path that the pattern matches; its parameters hold a text that no literal is likely to have.
    private static func sample(of pattern: RoutePattern) -> [UInt8] {
        var path: [UInt8] = []
        for segment in pattern.segments {
            path.append(UInt8(ascii: "/"))
            switch segment {
            case .literal(let bytes):
                for byte in bytes {
                    let isPlain = byte > 0x20 && byte < 0x7F && !"%/;?#\\".utf8.contains(byte)
                    if isPlain { path.append(byte) } else { path.appendEscape(of: byte) }
                }
            case .parameter(let name): path += Array("any-\(name)".utf8)
            case .rest: break
            }
        }
        return path
    }

    private func target(of detour: Detour, _ captures: inout Captures) -> Int? {
        let token = Array(detour.method.utf8)
        let bytes = detour.path + token
        let path = ByteRange(0, detour.path.count)
        // A spelling that the target check refuses is no way around.
        guard let checked = try? CheckedTarget.check(bytes.span.bytes, path, options: self.options) else { return nil }
        let match = self.table.match(
            bytes.span.bytes, path: path, hasEscapes: checked.hasEscapes,
            method: Method(name: detour.method) ?? .other,
            methodToken: ByteRange(detour.path.count, bytes.count), captures: &captures)
        guard case .route(let route) = match else { return nil }
        return route
    }
}

extension Access {
    /// Whether callers without a token get through.
    var isOpen: Bool {
        switch self {
        case .open, .optional: true
        case .denied, .required: false
        }
    }
}
