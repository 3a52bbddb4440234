/// A CORS preflight (Fetch, section 3.2.2): what a browser asks on behalf of a page before it sends the page's request.
/// Nothing but exactly that is one: any other OPTIONS is a request like every request, whatever its Origin says.
public struct Preflight: Equatable, Sendable {
    /// The method that is asked for: a token.
    public let method: ByteRange
    /// The header names that are asked for: tokens and commas; empty where there are none, or where they are not
    /// well-formed.
    public let headers: ByteRange

    /// Reads a head; nil if it is no preflight: not OPTIONS, not exactly one Origin, not exactly one
    /// Access-Control-Request-Method with a token, or with a body or an upgrade, which no browser sends along.
    public init?(_ bytes: RawSpan, _ head: RequestHead) {
        guard head.method == .options, head.originCount == 1, !head.origin.isEmpty, head.framing == .none, !head.upgrade
        else { return nil }
        let methods = Self.values("access-control-request-method", bytes, head)
        guard methods.count == 1, let method = methods.first, method.count <= Self.methodLimit,
            Self.isToken(bytes, method)
        else { return nil }
        self.method = method
        let headers = Self.values("access-control-request-headers", bytes, head)
        let isList = headers.count == 1 && headers.allSatisfy { Self.isTokenList(bytes, $0) }
        self.headers = isList ? headers.first ?? .none : .none
    }

    /// Bytes of a method: what a request line may have.
    private static let methodLimit = 64

    private static func values(_ name: StaticString, _ bytes: RawSpan, _ head: RequestHead) -> [ByteRange] {
        head.fields.filter { $0.kind == .other && bytes.slice($0.name).equalsIgnoringCase(name) }.map(\.value)
    }

    private static func isToken(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        !range.isEmpty && range.range.allSatisfy { isTokenCharacter(bytes.byte($0)) }
    }

    /// Whether the value is a list with nothing but tokens in it.
    private static func isTokenList(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        var isFine = true
        forEachListRange(bytes, range) { item in
            if !Self.isToken(bytes, item) { isFine = false }
        }
        return isFine
    }
}
