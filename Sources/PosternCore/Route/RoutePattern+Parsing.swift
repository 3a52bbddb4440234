// Reading a route's key (2-configuration, Routes). A key that no request could ever match is an error.

extension RoutePattern {
    /// The most parts a pattern may have: what bounds the depth of a match.
    public static let maximumSegments = 64

    /// Reads `METHOD /path`, where METHOD is one or more joined by `|`, or `ANY`.
    ///
    /// Literal parts may be written raw or percent-encoded. `options` decides which literals can be matched at all: one
    /// that the target check refuses in every request is an error.
    public static func parse(_ key: String, options: TargetOptions) throws(RoutePatternProblem) -> RoutePattern {
        // Everything is read as UTF-8 bytes: as characters, a separator followed by a combining mark would not be one.
        let words = key.utf8.split(separator: UInt8(ascii: " ")).map { Substring($0) }
        guard let first = words.first else {
            throw RoutePatternProblem("a route's key is empty; write a method and a path: GET /path")
        }
        guard words.count == 2 else {
            if words.count == 1, first.utf8.first == UInt8(ascii: "/") {
                throw RoutePatternProblem("the method is missing; write GET \(first), or ANY \(first) for every method")
            }
            if words.count == 1 {
                throw RoutePatternProblem("the path is missing after \(first); write \(first) /path")
            }
            throw RoutePatternProblem(
                "a route's key is one method part and one path; join methods by | without spaces, "
                    + "and write a space inside a path as %20")
        }
        let methods = try Self.parseMethods(first)
        let segments = try Self.parsePath(words[1], options: options)
        return RoutePattern(methods: methods, segments: segments, text: "\(first) \(words[1])")
    }

    /// The parameters in the order of the path; their positions are those of `Captures`.
    public var parameters: [String] {
        self.segments.compactMap { segment in
            switch segment {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    /// Whether the pattern ends with `{name...}`.
    public var hasRest: Bool {
        if case .rest = self.segments.last { true } else { false }
    }
}

// MARK: - Methods

extension RoutePattern {
    private static func parseMethods(_ text: Substring) throws(RoutePatternProblem) -> Methods {
        var names: [String] = []
        for part in text.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false) {
            let name = String(Substring(part))
            try Self.checkMethod(name, in: text)
            guard !names.contains(name) else { throw RoutePatternProblem("the method \(name) is given twice") }
            names.append(name)
        }
        if names == ["ANY"] { return .any }
        guard !names.contains("ANY") else {
            throw RoutePatternProblem("ANY stands for every method and cannot be joined with others; write ANY alone")
        }
        return .named(names)
    }

    private static func checkMethod(_ name: String, in text: Substring) throws(RoutePatternProblem) {
        guard !name.isEmpty else {
            throw RoutePatternProblem("a method is missing in \(text); write it like GET|POST")
        }
        guard name.utf8.allSatisfy({ $0.isTokenCharacter }) else {
            throw RoutePatternProblem("\(name) is not a method; write one like GET, several like GET|POST, or ANY")
        }
        let upper = name.uppercased()
        if upper != name, upper == "ANY" || Method(name: upper) != nil {
            throw RoutePatternProblem("methods are case-sensitive and \(name) is never sent; did you mean \(upper)?")
        }
        if name == "CONNECT" {
            throw RoutePatternProblem("CONNECT is always answered with 501, so this route can never match; remove it")
        }
    }
}

extension Method {
    /// The registered method with this name.
    init?(name: String) {
        guard let method = Method.allCases.first(where: { $0 != .other && $0.name == name }) else { return nil }
        self = method
    }
}

// MARK: - Path

extension RoutePattern {
    private static func parsePath(
        _ path: Substring, options: TargetOptions
    ) throws(RoutePatternProblem) -> [Segment] {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw RoutePatternProblem("the path \(path) does not begin with a slash; write /\(path)")
        }
        guard !path.utf8.contains(UInt8(ascii: "?")) else {
            throw RoutePatternProblem(
                "the path has a question mark, but routes match the path alone, never the query; "
                    + "remove it, or write a literal one as %3F")
        }
        let parts = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { Substring($0) }
        guard parts.count <= Self.maximumSegments else {
            throw RoutePatternProblem("the path has more than \(Self.maximumSegments) segments")
        }
        var segments: [Segment] = []
        var names: [String] = []
        // The shortest request path the pattern could match; the check below is the one that requests go through.
        var sample: [UInt8] = []
        for (index, part) in parts.enumerated() {
            sample.append(UInt8(ascii: "/"))
            let segment = try Self.parseSegment(part, isLast: index == parts.count - 1)
            switch segment {
            case .literal:
                Self.appendEncoded(part, to: &sample)
            case .parameter(let name), .rest(let name):
                guard !names.contains(name) else {
                    throw RoutePatternProblem("the parameter \(name) is used twice; give each its own name")
                }
                names.append(name)
                sample.append(UInt8(ascii: "x"))
            }
            segments.append(segment)
        }
        try Self.checkMatchable(sample, options: options)
        return segments
    }

    private static func parseSegment(_ part: Substring, isLast: Bool) throws(RoutePatternProblem) -> Segment {
        let bytes = part.utf8
        func isBrace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "{") || byte == UInt8(ascii: "}") }
        guard bytes.contains(where: isBrace) else { return .literal(Self.decode(part)) }
        let inner = bytes.dropFirst().dropLast()
        guard bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}"), !inner.contains(where: isBrace) else {
            throw RoutePatternProblem(
                "\(part) mixes a parameter with other text; a parameter is a whole segment like {name}, "
                    + "and literal braces are %7B and %7D")
        }
        let isRest = inner.suffix(3).elementsEqual("...".utf8)
        let name = String(Substring(isRest ? inner.dropLast(3) : inner))
        guard !name.isEmpty else {
            throw RoutePatternProblem("\(part) has no name; write \(isRest ? "{rest...}" : "{name}")")
        }
        guard Self.isName(name) else {
            throw RoutePatternProblem(
                "\(name) is not a parameter name; use letters, digits, _ and -, beginning with a letter or _")
        }
        guard isRest else { return .parameter(name) }
        guard isLast else {
            throw RoutePatternProblem("\(part) matches everything that is left, so it can only stand at the end")
        }
        return .rest(name)
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first.asciiLowercased &- 0x61 < 26 || first == UInt8(ascii: "_") else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            byte.asciiLowercased &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
    }

    /// The percent-decoded bytes of a literal.
    static func decode(_ part: Substring) -> [UInt8] {
        let written = Array(part.utf8)
        let bytes = written.span.bytes
        var result: [UInt8] = []
        var i = 0
        while i < written.count {
            let (byte, next) = bytes.decodedByte(i, limit: written.count)
            result.append(byte)
            i = next
        }
        return result
    }

    /// Appends a literal as a client would send it: what is not ASCII, and the space, percent-encoded.
    private static func appendEncoded(_ part: Substring, to sample: inout [UInt8]) {
        for byte in part.utf8 {
            if byte > 0x7E { sample.appendEscape(of: byte) } else { sample.append(byte) }
        }
    }

    private static func checkMatchable(_ sample: [UInt8], options: TargetOptions) throws(RoutePatternProblem) {
        do throws(TargetProblem) {
            _ = try CheckedTarget.check(sample.span.bytes, ByteRange(0, sample.count), options: options)
        } catch {
            guard case .ambiguous(let ambiguity) = error else {
                throw RoutePatternProblem("the path cannot be sent in a request")
            }
            let option: String =
                switch ambiguity {
                case .encodedSlash: " (or set paths.encoded_slash: allow)"
                case .emptySegment: " (or set paths.empty_segments: allow)"
                case .semicolon: " (or set paths.semicolon: allow)"
                default: ""
                }
            throw RoutePatternProblem(
                "no request can match this route, because its path is refused with 400. \(ambiguity.detail)\(option)")
        }
    }
}
