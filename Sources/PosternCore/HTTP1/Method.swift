/// A request method (RFC 9110 section 9). The registered ones that matter to a route are cases; any other token is
/// `other`, and its text stays in the request line.
public enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, patch, options, trace, connect
    /// A token that is none of the above.
    case other

    /// The method's name; `OTHER` where it is none of the known ones (a closed set, as metric labels need).
    public var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other: "OTHER"
        }
    }

    /// Whether a request with this method may be sent twice with the effect of one (RFC 9110 section 9.2.2).
    public var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }
}
