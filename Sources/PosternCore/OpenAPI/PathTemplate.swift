/// A path of an OpenAPI document ("Path Templating"), and how a route of proxy.yaml says it.
///
/// A parameter that is a whole segment becomes one of Postern's. One that is only part of a segment cannot be said:
/// a whole segment in its place would open more paths than the document has.
struct PathTemplate: Equatable, Sendable {
    /// The path of a route's key; nil where there is none.
    private(set) var path: String?
    /// Which requests it stands for. Nil where no request ever gets that far, because every such path is refused.
    private(set) var shape: PathShape?
    /// Why there is no route.
    private(set) var problem: String?
    /// What the route says otherwise than the document.
    private(set) var notes: [String] = []

    /// - Parameter text: the template with its base path in front; begins with `/`.
    init(_ text: String) {
        var reader = PathTemplateReader()
        // As bytes: a brace followed by a combining mark is a brace all the same.
        let end = text.utf8.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        if let end {
            let rest = String(Substring(text.utf8[end...]))
            self.notes.append("routes match the path alone: \(Words.quoted(rest)) of the document is not looked at")
        }
        let path = text.utf8[..<(end ?? text.utf8.endIndex)]
        for segment in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            reader.add(Array(segment))
        }
        self.notes += reader.notes
        self.problem = reader.problem
        if reader.problem == nil {
            do throws(RoutePatternProblem) {
                _ = try RoutePattern.parse("GET \(reader.path)", options: TargetOptions())
                self.path = reader.path
                self.shape = PathShape(parts: reader.parts)
            } catch {
                self.problem = error.message
            }
        } else if reader.isReadable {
            self.shape = PathShape(parts: reader.parts)
        }
    }
}

private struct PathTemplateReader {
    private(set) var path = ""
    private(set) var parts: [PathShape.Part] = []
    private(set) var problem: String?
    private(set) var notes: [String] = []
    /// Whether the braces are in order, so that the shape means something.
    private(set) var isReadable = true
    private var names: Set<String> = []

    mutating func add(_ segment: [UInt8]) {
        self.path += "/"
        guard let (prefix, names, suffix) = Self.pieces(of: segment) else {
            self.problem = "\(Words.quoted(segment)) has a brace without its counterpart"
            self.isReadable = false
            return
        }
        if names.isEmpty {
            self.path += Self.encoded(segment)
            self.parts.append(.literal(Self.decoded(segment)))
        } else if names.count == 1, prefix.isEmpty, suffix.isEmpty {
            self.addParameter(names[0])
        } else {
            self.parts.append(.open(prefix: Self.decoded(prefix), suffix: Self.decoded(suffix)))
            self.problem = "a parameter of Postern is a whole segment, and \(Words.quoted(segment)) is not"
        }
    }

    private mutating func addParameter(_ bytes: [UInt8]) {
        let written = String(decoding: bytes, as: UTF8.self)
        var name = String(
            written.unicodeScalars.map { scalar -> Character in
                scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-")
                    ? Character(scalar) : "_"
            })
        if name.first?.isLetter != true, name.first != "_" { name = "_" + name }
        while !self.names.insert(name).inserted { name += "_" }
        if name != written {
            self.notes.append("the parameter \(Words.quoted("{\(written)}")) is called {\(name)} and is one segment")
        }
        self.path += "{\(name)}"
        self.parts.append(.parameter)
    }

    /// The text before the first parameter, the names of all, and the text after the last; nil for braces that do not
    /// match. A name may hold braces itself, as those with a regular expression do.
    private static func pieces(of segment: [UInt8]) -> (prefix: [UInt8], names: [[UInt8]], suffix: [UInt8])? {
        var prefix: [UInt8] = []
        var names: [[UInt8]] = []
        var text: [UInt8] = []
        var depth = 0
        for byte in segment {
            if byte == UInt8(ascii: "{") {
                depth += 1
                if depth == 1 {
                    if names.isEmpty { prefix = text }
                    text = []
                    continue
                }
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
                if depth < 0 { return nil }
                if depth == 0 {
                    names.append(text)
                    text = []
                    continue
                }
            }
            text.append(byte)
        }
        guard depth == 0 else { return nil }
        return (prefix, names, names.isEmpty ? [] : text)
    }

    /// As a route's key says it: what is not ASCII, spaces and control characters percent-encoded.
    private static func encoded(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        for byte in bytes {
            if byte > 0x20, byte < 0x7F { result.append(byte) } else { result.appendEscape(of: byte) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        RoutePattern.decode(Substring(String(decoding: bytes, as: UTF8.self)))
    }
}
