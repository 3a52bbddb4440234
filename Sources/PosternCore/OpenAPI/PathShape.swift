/// Which paths a pattern stands for, segment by segment: what patterns of proxy.yaml and templates of a service's
/// description are compared by.
struct PathShape: Hashable, Sendable {
    /// Which segments one place of the path may have, percent-decoded.
    enum Part: Hashable, Sendable {
        case literal([UInt8])
        /// At least one byte between the two: `{name}`, or a parameter with text around it.
        case open(prefix: [UInt8], suffix: [UInt8])
        /// Anything, also nothing: a segment within `{rest...}`.
        case anything

        /// `{name}`.
        static let parameter = Part.open(prefix: [], suffix: [])
    }

    var parts: [Part]

    /// Whether there is just one such path.
    var isConcrete: Bool {
        self.parts.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// Whether every path of the other shape is one of this shape.
    func contains(_ other: PathShape) -> Bool {
        self.parts.count == other.parts.count && zip(self.parts, other.parts).allSatisfy { $0.contains($1) }
    }

    /// Whether there are paths of both shapes. Allocates nothing: of thousands of pairs most have none.
    func meets(_ other: PathShape) -> Bool {
        guard self.parts.count == other.parts.count else { return false }
        // The end differs more often than the beginning.
        for index in self.parts.indices.reversed() where !self.parts[index].meets(other.parts[index]) { return false }
        return true
    }

    /// The paths of both shapes; nil if there are none.
    func intersection(_ other: PathShape) -> PathShape? {
        guard self.parts.count == other.parts.count else { return nil }
        var parts: [Part] = []
        for (left, right) in zip(self.parts, other.parts) {
            guard let part = left.intersection(right) else { return nil }
            parts.append(part)
        }
        return PathShape(parts: parts)
    }

    /// A path of this shape; its parameters hold a text that no literal is likely to be.
    var sample: [UInt8] {
        var path: [UInt8] = []
        for part in self.parts {
            path.append(UInt8(ascii: "/"))
            switch part {
            case .literal(let bytes): path.appendSegment(bytes)
            case .open(let prefix, let suffix): path.appendSegment(prefix + Array("~any~".utf8) + suffix)
            case .anything: path.appendSegment(Array("~any~".utf8))
            }
        }
        return path
    }
}

extension PathShape.Part {
    func contains(_ other: Self) -> Bool {
        switch (self, other) {
        case (.anything, _): true
        case (_, .anything): false
        case (.literal(let mine), .literal(let other)): mine == other
        case (.literal, .open): false
        case (.open(let prefix, let suffix), .literal(let bytes)):
            bytes.count > prefix.count + suffix.count && bytes.starts(with: prefix) && bytes.ends(with: suffix)
        case (.open(let prefix, let suffix), .open(let otherPrefix, let otherSuffix)):
            otherPrefix.starts(with: prefix) && otherSuffix.ends(with: suffix)
        }
    }

    func meets(_ other: Self) -> Bool {
        if case .literal(let mine) = self, case .literal(let other) = other { return mine == other }
        return self.intersection(other) != nil
    }

    /// What both allow. Of two parameters with text around them it may be more than that: never less.
    func intersection(_ other: Self) -> Self? {
        if self.contains(other) { return other }
        if other.contains(self) { return self }
        guard case .open(let prefix, let suffix) = self, case .open(let otherPrefix, let otherSuffix) = other else {
            return nil
        }
        guard prefix.starts(with: otherPrefix) || otherPrefix.starts(with: prefix),
            suffix.ends(with: otherSuffix) || otherSuffix.ends(with: suffix)
        else { return nil }
        return .open(
            prefix: prefix.count > otherPrefix.count ? prefix : otherPrefix,
            suffix: suffix.count > otherSuffix.count ? suffix : otherSuffix)
    }
}

extension RoutePattern {
    /// The pattern's shape for paths of `count` segments; nil where it matches none of that length.
    func shape(count: Int) -> PathShape? {
        guard self.segments.count == count || (self.hasRest && self.segments.count <= count) else { return nil }
        var parts: [PathShape.Part] = []
        for segment in self.segments {
            switch segment {
            case .literal(let bytes): parts.append(.literal(bytes))
            case .parameter: parts.append(.parameter)
            case .rest:
                // The rest begins with a slash: it is one segment, perhaps an empty one, or more.
                parts += [PathShape.Part](repeating: .anything, count: count - parts.count)
            }
        }
        return PathShape(parts: parts)
    }

    /// Whether requests with this method may come to the pattern: `GET` stands for `HEAD` as well.
    func answers(_ method: String) -> Bool {
        switch self.methods {
        case .any: true
        case .named(let names): names.contains(method) || (method == "HEAD" && names.contains("GET"))
        }
    }
}

extension [UInt8] {
    func ends(with suffix: [UInt8]) -> Bool {
        self.count >= suffix.count && self.suffix(suffix.count).elementsEqual(suffix)
    }

    /// Appends a segment as a client sends it: percent-encoded where a path needs that.
    fileprivate mutating func appendSegment(_ bytes: [UInt8]) {
        for byte in bytes {
            let isPlain = byte > 0x20 && byte < 0x7F && !"%/?#\\".utf8.contains(byte)
            if isPlain { self.append(byte) } else { self.appendEscape(of: byte) }
        }
    }
}
