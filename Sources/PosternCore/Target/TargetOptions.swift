/// Which kinds of odd paths are let through (`paths:` in proxy.yaml). Each lifts exactly one refusal; the default
/// lifts none.
public struct TargetOptions: Equatable, Sendable {
    /// `//` inside a path is data.
    public var allowEmptySegments: Bool
    /// `%2F` is data inside a segment.
    public var allowEncodedSlash: Bool
    /// `;` is data inside a segment.
    public var allowSemicolon: Bool

    public init(allowEmptySegments: Bool = false, allowEncodedSlash: Bool = false, allowSemicolon: Bool = false) {
        self.allowEmptySegments = allowEmptySegments
        self.allowEncodedSlash = allowEncodedSlash
        self.allowSemicolon = allowSemicolon
    }
}
