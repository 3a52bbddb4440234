/// The rules for claims (RFC 7519 section 4.1, RFC 8725, RFC 9068), and how claims become a `Principal`.
///
/// Decisions where the standards leave room:
/// - A claim whose value is JSON null counts as absent; only `cnf` is refused even then.
/// - A claim that is read and has a wrong type makes the token invalid. Ignoring it would let a policy that denies by
///   that claim be passed by a malformed one.
/// - Times: a token is valid while `now < exp + leeway`, from `now >= nbf - leeway` on, and if `iat <= now + leeway`.
///   So at `exp` itself a token is over, unless there is a leeway (RFC 7519 section 4.1.4: "on or after").
/// - A NumericDate may have a fraction. One beyond the year 9999 is malformed: it is a number of milliseconds or a
///   trick, and later arithmetic need not care.
public enum ClaimRules {
    /// Seconds at the end of the year 9999; the magnitude of the largest accepted NumericDate.
    public static let latestDate: Double = 253_402_300_799

    /// Who the claims speak for, or why they are not accepted. `now` is in Unix seconds. `claims` have been verified,
    /// or are the caller's to invent (`explain --claims`).
    public static func principal(
        rules: IssuerRules, claims: JSONValue, now: Double
    ) throws(TokenProblem) -> Principal {
        guard case .object = claims else { throw .malformed }
        if claims["cnf"] != nil { throw .senderConstrained }
        guard let expected = rules.issuer, let issuer = try Self.text(claims["iss"]),
            issuer.hasSameBytes(as: expected)
        else { throw .unknownIssuer }
        try Self.checkAudience(claims["aud"], rules.audiences)
        guard let expiresAt = try Self.date(claims["exp"]) else { throw .missingExpiry }
        let notBefore = try Self.date(claims["nbf"])
        let issuedAt = try Self.date(claims["iat"])
        guard now < expiresAt + rules.leeway else { throw .expired }
        if let notBefore, now < notBefore - rules.leeway { throw .notYetValid }
        if let issuedAt, issuedAt > now + rules.leeway { throw .issuedInTheFuture }
        return try Self.principal(
            issuer: rules.name, map: rules.claims, claims: claims, issuedAt: issuedAt, notBefore: notBefore,
            expiresAt: expiresAt)
    }

    /// The mapping alone, for claims whose times were judged by other rules (introspection).
    public static func principal(
        issuer: String, map: ClaimMap, claims: JSONValue, issuedAt: Double?, notBefore: Double?, expiresAt: Double
    ) throws(TokenProblem) -> Principal {
        Principal(
            issuer: issuer,
            user: try Self.identifier(Self.first(map.user, claims)),
            name: try Self.identifier(Self.first(map.name, claims)),
            client: try Self.identifier(Self.first(map.client, claims)),
            scopes: try Self.scopes(Self.first(map.scopes, claims)),
            roles: try Self.roles(Self.first(map.roles, claims)),
            admin: map.admin.map { $0.value(in: claims) == .bool(true) },
            tokenID: try Self.identifier(claims["jti"]),
            claims: claims, issuedAt: issuedAt, notBefore: notBefore, expiresAt: expiresAt)
    }

    /// A NumericDate (RFC 7519 section 2) in Unix seconds; nil if absent.
    public static func date(_ value: JSONValue?) throws(TokenProblem) -> Double? {
        switch value {
        case nil, .null: return nil
        case .number(let seconds, _):
            guard seconds.magnitude <= Self.latestDate else { throw .malformedClaim }
            return seconds
        default: throw .malformedClaim
        }
    }

    /// `aud` is one string or an array of strings (RFC 7519 section 4.1.3); nil audiences switch the match off, not the
    /// check of the form.
    static func checkAudience(_ value: JSONValue?, _ audiences: [String]?) throws(TokenProblem) {
        var named: [String] = []
        switch value {
        case nil, .null: break
        case .string(let text): named = [text]
        case .array(let items): named = try Self.strings(items)
        default: throw .malformedClaim
        }
        guard let audiences else { return }
        let met = named.contains { name in audiences.contains { $0.hasSameBytes(as: name) } }
        guard met else { throw .wrongAudience }
    }
}

// MARK: - Values

extension ClaimRules {
    /// The value of the first selector that finds one; null counts as absent.
    private static func first(_ selectors: [ClaimSelector], _ claims: JSONValue) -> JSONValue? {
        for selector in selectors {
            if let value = selector.value(in: claims), value != .null { return value }
        }
        return nil
    }

    static func text(_ value: JSONValue?) throws(TokenProblem) -> String? {
        switch value {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw .malformedClaim
        }
    }

    /// A name for somebody: a string, or a number as it is written.
    private static func identifier(_ value: JSONValue?) throws(TokenProblem) -> String? {
        switch value {
        case nil, .null: return nil
        case .string(let text): return text
        case .number(_, let text): return text
        default: throw .malformedClaim
        }
    }

    /// One string of scopes separated by spaces (RFC 6749 section 3.3), or an array with one scope per item. A space
    /// inside an item does not separate: no scope has one, so such an item meets no rule.
    private static func scopes(_ value: JSONValue?) throws(TokenProblem) -> [String] {
        switch value {
        case nil, .null: return []
        case .string(let text):
            let octets = Array(text.utf8)
            return Self.words(octets.span.bytes)
        case .array(let items): return try Self.strings(items).filter { !$0.isEmpty }
        default: throw .malformedClaim
        }
    }

    /// What stands between spaces.
    private static func words(_ bytes: RawSpan) -> [String] {
        var words: [String] = []
        words.reserveCapacity(8)
        var start = 0
        for i in 0...bytes.byteCount where i == bytes.byteCount || bytes.byte(i) == UInt8(ascii: " ") {
            if i > start { words.append(bytes.extracting(start..<i).string()) }
            start = i + 1
        }
        return words
    }

    /// An array with one role per item, or one string, which is one role whatever it holds: no standard says what
    /// separates roles, and `Read Only, Ltd` must not become a role `Read`.
    private static func roles(_ value: JSONValue?) throws(TokenProblem) -> [String] {
        switch value {
        case nil, .null: return []
        case .string(let text): return text.isEmpty ? [] : [text]
        case .array(let items): return try Self.strings(items).filter { !$0.isEmpty }
        default: throw .malformedClaim
        }
    }

    private static func strings(_ items: [JSONValue]) throws(TokenProblem) -> [String] {
        var result: [String] = []
        result.reserveCapacity(items.count)
        for item in items {
            guard case .string(let text) = item else { throw .malformedClaim }
            result.append(text)
        }
        return result
    }
}

extension Principal {
    /// `expiresAt` plus `leeway` seconds as Unix nanoseconds. Times beyond what 64 bits hold are clamped: the caller's
    /// clock never gets there.
    public func deadline(leeway: Double) -> Int64 {
        let nanoseconds = (self.expiresAt + leeway) * 1e9
        if nanoseconds >= 9.2e18 { return Int64.max }
        if !(nanoseconds > -9.2e18) { return Int64.min }
        return Int64(nanoseconds)
    }
}
