/// A route's key in proxy.yaml, read: `GET|POST /api/v1/trades/{trade_id}`.
public struct RoutePattern: Equatable, Sendable {
    /// Which methods a pattern is for.
    public enum Methods: Equatable, Sendable {
        /// `ANY`.
        case any
        /// The method tokens in the order written; upper and lower case are different methods (RFC 9110 section 9.1).
        case named([String])
    }

    /// One part of a pattern between slashes.
    public enum Segment: Equatable, Sendable {
        /// Literal bytes, percent-decoded.
        case literal([UInt8])
        /// `{name}`: one non-empty segment.
        case parameter(String)
        /// `{name...}`: the rest, possibly empty. Only at the end.
        case rest(String)
    }

    public var methods: Methods
    public var segments: [Segment]
    /// The key as written, single-spaced: the label in logs, metrics and `explain`.
    public var text: String

    public init(methods: Methods, segments: [Segment], text: String) {
        self.methods = methods
        self.segments = segments
        self.text = text
    }
}
