/// What the issuer has withdrawn: one token, or all tokens of somebody from before a time (3-behaviour, "Revocation").
public struct Revocation: Hashable, Sendable {
    /// Whom or what it is about.
    public enum Subject: Hashable, Sendable {
        /// The token with this `jti`.
        case tokenID(String)
        /// The tokens of this user that were issued before that time (Unix seconds), or that do not say when.
        case subject(String, before: Double)
        /// The tokens of this client that were issued before that time (Unix seconds), or that do not say when.
        case client(String, before: Double)
        /// The token with this digest.
        case token(TokenDigest)
    }

    /// Octets of the longest member that is read. More than what the longest name takes when each of its octets is
    /// escaped (`\u0001`), or a member that was read could not be passed on.
    public static let maximumLength = 65_536
    /// Octets of the longest name that is read, in UTF-8.
    public static let maximumNameLength = 8192

    public let subject: Subject

    /// A `before` that is no number or beyond the years that a token may name counts as the end of those years: of two
    /// ways to be wrong the one that revokes.
    public init(_ subject: Subject) {
        switch subject {
        case .tokenID, .token: self.subject = subject
        case .subject(let name, let before): self.subject = .subject(name, before: Self.date(before))
        case .client(let name, let before): self.subject = .client(name, before: Self.date(before))
        }
    }

    /// Reads a member of the sorted set, or a message of the channel: a JSON object with exactly one of `jti`, `sub`,
    /// `client` and `token`, for `sub` and `client` with `before` as well. Names may be numbers, as in claims. Other
    /// members are ignored, and null counts as absent.
    ///
    /// Nil for anything else. An object that names two things is not guessed at: whichever half is dropped, somebody's
    /// token would live on or die by mistake.
    public init?(json bytes: [UInt8]) {
        guard bytes.count <= Self.maximumLength, let member = try? JSONReader.parse(bytes.span.bytes) else {
            return nil
        }
        var subject: Subject?
        for kind in ["jti", "sub", "client", "token"] {
            guard let value = member[kind], value != .null else { continue }
            guard subject == nil, let read = Self.subject(kind, value, before: member["before"]) else { return nil }
            subject = read
        }
        guard let subject else { return nil }
        self.init(subject)
    }

    private static func subject(_ kind: String, _ value: JSONValue, before: JSONValue?) -> Subject? {
        guard let name = RevocationFacts.name(value), name.utf8.count <= Self.maximumNameLength else { return nil }
        switch kind {
        case "jti": return .tokenID(name)
        case "token": return value.string.flatMap { TokenDigest(hex: $0) }.map { .token($0) }
        default:
            guard case .number(let seconds, _)? = before, seconds.magnitude <= ClaimRules.latestDate else {
                return nil
            }
            return kind == "sub" ? .subject(name, before: seconds) : .client(name, before: seconds)
        }
    }

    /// The member as the issuer adds and publishes it: compact JSON. Reading it again gives the same revocation.
    public var serialized: [UInt8] {
        var members: [JSONValue.Member]
        switch self.subject {
        case .tokenID(let name): members = [.init(name: "jti", value: .string(name))]
        case .subject(let name, let before):
            members = [.init(name: "sub", value: .string(name)), .init(name: "before", value: Self.number(before))]
        case .client(let name, let before):
            members = [.init(name: "client", value: .string(name)), .init(name: "before", value: Self.number(before))]
        case .token(let digest):
            members = [.init(name: "token", value: .string(String(decoding: digest.hexadecimal, as: UTF8.self)))]
        }
        return JSONValue.object(members).serializedBytes()
    }

    /// Whole seconds are written without a fraction.
    private static func number(_ seconds: Double) -> JSONValue {
        // Within 64 bits, because `init` limits it.
        let whole = Int64(seconds)
        return .number(seconds, text: Double(whole) == seconds ? String(whole) : String(seconds))
    }

    private static func date(_ seconds: Double) -> Double {
        seconds.isNaN ? ClaimRules.latestDate : min(max(seconds, -ClaimRules.latestDate), ClaimRules.latestDate)
    }
}
