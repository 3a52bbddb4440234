/// A request target that has been checked (RFC 9112 section 3.2): what is matched and what is forwarded are these same
/// bytes. The query is delimited, never changed.
public struct CheckedTarget: Equatable, Sendable {
    /// The path: begins with `/`. Empty where an absolute-form has none; the path is `/` then.
    public var path: ByteRange
    /// The query without its `?`.
    public var query: ByteRange
    /// Whether there was a `?`; the query may be empty all the same.
    public var hasQuery: Bool
    /// Of an absolute-form, `host` or `host:port`; empty otherwise.
    public var authority: ByteRange
    /// Whether the target is in absolute-form.
    public var isAbsolute: Bool
    /// Whether the path has a `%`.
    public var hasEscapes: Bool

    public init(
        path: ByteRange, query: ByteRange = .none, hasQuery: Bool = false, authority: ByteRange = .none,
        isAbsolute: Bool = false, hasEscapes: Bool = false
    ) {
        self.path = path
        self.query = query
        self.hasQuery = hasQuery
        self.authority = authority
        self.isAbsolute = isAbsolute
        self.hasEscapes = hasEscapes
    }

    /// Checks the target at `target` of `bytes`: origin-form or absolute-form with http or https.
    ///
    /// One pass, no allocation. Throws the first problem from the left.
    public static func check(
        _ bytes: RawSpan, _ target: ByteRange, options: TargetOptions
    ) throws(TargetProblem) -> CheckedTarget {
        guard !target.isEmpty else { throw .malformed }
        var result = CheckedTarget(path: target)
        var start = Int(target.start)
        let limit = Int(target.end)
        if bytes.byte(start) != UInt8(ascii: "/") {
            start = try result.readAuthority(bytes, target)
        }
        let end = try result.checkPath(bytes, from: start, limit: limit, options: options)
        result.path = ByteRange(start, end)
        if end < limit {
            result.hasQuery = true
            result.query = ByteRange(end &+ 1, limit)
            try Self.checkQuery(bytes, from: end &+ 1, limit: limit)
        }
        return result
    }

    /// Reads `scheme://authority` and returns where the path (or the query, or the end) is.
    private mutating func readAuthority(_ bytes: RawSpan, _ target: ByteRange) throws(TargetProblem) -> Int {
        if target.count == 1, bytes.byte(Int(target.start)) == UInt8(ascii: "*") { throw .asterisk }
        guard let authority = Authority.find(bytes, target) else { throw .malformed }
        self.isAbsolute = true
        self.authority = authority
        return Int(authority.end)
    }

    /// Every byte but controls and the space: 0x21 to 0x7E. The query belongs to the service; only what no HTTP/1.1
    /// request line can hold is refused.
    private static func checkQuery(_ bytes: RawSpan, from start: Int, limit: Int) throws(TargetProblem) {
        var i = start
        while i < limit {
            let byte = bytes.byte(i)
            guard byte &- 0x21 <= 0x5D, byte != UInt8(ascii: "#") else { throw .malformed }
            i &+= 1
        }
    }
}
