/// What a request brings to show who sends it (3-behaviour, Order of decisions, step 4; RFC 6750 section 2.1).
public enum Credential: Equatable, Sendable {
    /// No Authorization, one with another scheme, or a token in the query alone.
    case none
    /// Exactly one b64token: its bytes.
    case token(ByteRange)
    /// 400 `invalid_request`.
    case refused(CredentialProblem)

    /// Finds the credential of a request. Looks at each byte once and allocates nothing.
    ///
    /// - Parameters:
    ///   - bytes: what the ranges are offsets into.
    ///   - authorization: the first Authorization field's value, without whitespace around it.
    ///   - count: how many Authorization fields the request has.
    ///   - query: the request's query.
    ///   - limit: the longest token in bytes (`limits.token`).
    ///   - unchecked: leaves it to the caller to ask `isToken` before the token is anything but looked up among those
    ///     that were accepted before: looking at each byte of a token once more costs more than anything else here.
    public static func find(
        _ bytes: RawSpan, authorization: ByteRange, count: Int, query: ByteRange, limit: Int, unchecked: Bool = false
    ) -> Credential {
        guard count > 0 else { return .none }
        guard count == 1 else { return .refused(.repeatedHeader) }
        guard let start = Self.endOfScheme(bytes, authorization) else { return .none }
        var first = start
        let end = Int(authorization.end)
        while first < end, bytes.byte(first) == UInt8(ascii: " ") { first &+= 1 }
        // At least one space, at least one byte of token.
        guard first > start, first < end else { return .refused(.malformed) }
        guard end &- first <= limit else { return .refused(.tooLong) }
        let token = ByteRange(first, end)
        guard unchecked || Self.isToken(bytes, token) else { return .refused(.malformed) }
        guard !AccessTokenParameter.isPresent(bytes, query) else { return .refused(.twoPlaces) }
        return .token(token)
    }

    /// Whether the bytes are exactly one b64token.
    public static func isToken(_ bytes: RawSpan, _ range: ByteRange) -> Bool {
        BearerToken.isValid(bytes, range)
    }

    /// The offset after `Bearer` (any case); nil where the value begins with another scheme.
    @inline(__always)
    private static func endOfScheme(_ bytes: RawSpan, _ value: ByteRange) -> Int? {
        guard value.count >= 6 else { return nil }
        let end = Int(value.start) &+ 6
        guard bytes.slice(ByteRange(Int(value.start), end)).equalsIgnoringCase("bearer") else { return nil }
        // `BearerX` is another scheme; `Bearer,` or `Bearer<tab>` is a malformed one of ours.
        if end < Int(value.end), bytes.byte(end).isTokenCharacter { return nil }
        return end
    }
}
