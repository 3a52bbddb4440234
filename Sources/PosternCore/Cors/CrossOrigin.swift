/// What the proxy does for browsers' cross-origin requests (Fetch, section 3.2, CORS protocol), compiled once per load:
/// what is written into answers is ready in bytes for each allowed origin. None of it lets a request through: CORS tells a
/// browser what it may show to a page, and what the page may ask.
///
/// Without one (`preflight: deny`) a preflight is a request like any other.
public final class CrossOrigin: Sendable {
    /// What a request's origin is where it is not an allowed one, or where there is none.
    public static let noOrigin: Int32 = -1

    /// What pages can read of Postern's own answers, and of the service's, besides `expose`: why a request was refused, and
    /// the id to ask about it.
    public static let exposed = ["WWW-Authenticate", "X-Request-Id", "Retry-After"]

    /// Nil: preflights are forwarded, and what the service says of origins counts.
    public let rules: CrossOriginRules?
    /// By route: whether its key names OPTIONS.
    private let namesOptions: [Bool]
    private let anyOrigin: Bool
    private let origins: [[UInt8]]
    /// By origin.
    private let lines: [CrossOriginLines]
    /// For every other origin, and for requests without one.
    private let otherLines: CrossOriginLines

    /// - Parameters:
    ///   - rules: nil: preflights are forwarded.
    ///   - patterns: the routes, in the order of the `RouteTable`.
    public init(_ rules: CrossOriginRules?, patterns: [RoutePattern]) {
        self.rules = rules
        self.namesOptions = patterns.map { pattern in
            if case .named(let names) = pattern.methods { names.contains(Method.options.name) } else { false }
        }
        let anyOrigin = rules?.allowsAnyOrigin == true
        self.anyOrigin = anyOrigin
        self.origins = anyOrigin ? [] : (rules?.origins ?? []).map { Array($0.utf8) }
        // An answer that is the same for every origin says so to those without one, too: a cache may keep it for both.
        let any = rules.map { CrossOriginLines($0, origin: CrossOriginRules.anyOrigin, variesByOrigin: false) }
        let none = CrossOriginLines(fields: [], variesByOrigin: true)
        self.otherLines = anyOrigin ? any ?? none : none
        self.lines = (rules?.origins ?? []).map { origin in
            anyOrigin ? any ?? none : CrossOriginLines(rules, origin: origin, variesByOrigin: true)
        }
    }

    /// Which allowed origin the request comes from; `noOrigin` if from none. Two Origin fields are no origin: no browser
    /// sends them.
    public func origin(_ bytes: RawSpan, _ head: RequestHead) -> Int32 {
        guard head.originCount == 1, !head.origin.isEmpty else { return Self.noOrigin }
        if self.anyOrigin { return 0 }
        let origin = bytes.slice(head.origin)
        for (index, allowed) in self.origins.enumerated() where origin.equals(allowed.span.bytes) {
            return Int32(truncatingIfNeeded: index)
        }
        return Self.noOrigin
    }

    /// What goes into an answer to a request from this origin, be it Postern's own or the service's. Only with `rules`.
    public func lines(for origin: Int32) -> CrossOriginLines {
        origin >= 0 && Int(origin) < self.lines.count ? self.lines[Int(origin)] : self.otherLines
    }

    /// The same as whole lines, for a head that has no Vary of its own; none where preflights are forwarded.
    public func refusalLines(for origin: Int32) -> [UInt8] {
        guard self.rules != nil else { return [] }
        let lines = self.lines(for: origin)
        return lines.variesByOrigin ? lines.fields + Array("Vary: Origin\r\n".utf8) : lines.fields
    }

    /// Whether the route's key names OPTIONS, so that it is declared for preflights, too.
    func namesOptions(_ route: Int) -> Bool {
        route >= 0 && route < self.namesOptions.count && self.namesOptions[route]
    }
}

/// The CORS lines of an answer, ready to write.
public struct CrossOriginLines: Equatable, Sendable {
    /// Whole lines with their CRLF.
    public let fields: [UInt8]
    /// Whether another origin gets other lines, so that a cache has to be told: `Vary: Origin`.
    public let variesByOrigin: Bool

    init(fields: [UInt8], variesByOrigin: Bool) {
        self.fields = fields
        self.variesByOrigin = variesByOrigin
    }

    fileprivate init(_ rules: CrossOriginRules?, origin: String, variesByOrigin: Bool) {
        var text = "Access-Control-Allow-Origin: \(origin)\r\n"
        if rules?.credentials == true { text += "Access-Control-Allow-Credentials: true\r\n" }
        var exposed = CrossOrigin.exposed
        for name in rules?.expose ?? [] where !exposed.contains(where: { $0.lowercased() == name.lowercased() }) {
            exposed.append(name)
        }
        text += "Access-Control-Expose-Headers: \(exposed.joined(separator: ", "))\r\n"
        self.init(fields: Array(text.utf8), variesByOrigin: variesByOrigin)
    }
}
