/// Why a request target is refused. Every case is answered with 400.
public enum TargetProblem: Error, Equatable, Sendable {
    /// `bad_request`: empty, authority-form, another scheme than http and https, userinfo, a space, or a byte that no
    /// query may hold.
    case malformed
    /// `bad_request`: asterisk-form (`OPTIONS *`, RFC 9112 section 3.2.4), which names no resource a route could declare.
    case asterisk
    /// `ambiguous_path`: a path that different servers read differently.
    case ambiguous(Ambiguity)
}

/// What about a path makes different servers read it differently (2-configuration, Routes). Three kinds can be let
/// through by `TargetOptions`, each by exactly one option.
public enum Ambiguity: Equatable, Sendable, CaseIterable {
    /// `%2F` in either case. Lifted by `encoded_slash: allow`.
    case encodedSlash
    /// `%5C` in either case.
    case encodedBackslash
    /// `\`.
    case backslash
    /// A control character, raw or as an escape: U+0000–U+001F, `%7F`, and U+0080–U+009F as escapes.
    case controlCharacter
    /// A `%` without two hexadecimal digits.
    case invalidEscape
    /// Escapes that are not UTF-8: overlong forms, surrogates, values over U+10FFFF, broken sequences.
    case invalidUTF8
    /// A raw byte over 0x7E.
    case rawByte
    /// `#`.
    case fragment
    /// A `.` or `..` segment, plain or encoded. Where `;` or `%2F` is let through, also one that ends there: `..;a`
    /// and `..%2Fa` are what servers that cut at `;` or decode `%2F` would climb by.
    case dotSegment
    /// `//`. Lifted by `empty_segments: allow`. Where `;` is let through, also a segment that begins with it.
    case emptySegment
    /// `;`. Lifted by `semicolon: allow`.
    case semicolon

    /// One sentence for the developer of the client.
    public var detail: String {
        switch self {
        case .encodedSlash:
            "The path has an encoded slash (%2F), which servers read either as data or as a separator."
        case .encodedBackslash:
            "The path has an encoded backslash (%5C), which some servers read as a slash."
        case .backslash:
            "The path has a backslash, which some servers read as a slash."
        case .controlCharacter:
            "The path has a control character, plain or percent-encoded."
        case .invalidEscape:
            "The path has a percent sign that is not followed by two hexadecimal digits; a literal one is %25."
        case .invalidUTF8:
            "The path has percent-escapes that are not valid UTF-8."
        case .rawByte:
            "The path has a byte over 0x7E that is not percent-encoded."
        case .fragment:
            "The path has a number sign (#), which begins a fragment and is never sent; a literal one is %23."
        case .dotSegment:
            "The path has a . or .. segment, plain or percent-encoded; send the path it resolves to."
        case .emptySegment:
            "The path has an empty segment (//); send it with single slashes."
        case .semicolon:
            "The path has a semicolon, which some servers read as the start of parameters; a literal one is %3B."
        }
    }
}
