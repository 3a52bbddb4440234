import PosternCore
import PosternCrypto

/// A JWT by which a client authenticates (RFC 7523 section 3), held to the rules that need no key of the client. Nothing
/// in it may be believed before `verify` has found nothing wrong.
struct ClientAssertion: Sendable {
    /// `client_assertion_type` (RFC 7523 section 2.2).
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// What a client may sign with.
    static let algorithms: [SignatureAlgorithm] = [.rs256, .ps256, .es256, .eddsa]
    /// How many seconds after `now` an assertion may expire at most: so long its identifier has to be remembered.
    static let lifetime = 300.0
    /// Seconds by which the client's clock may be wrong.
    static let leeway = 60.0
    /// Octets of the longest accepted `sub` and `jti`.
    private static let longestName = 256
    /// What `typ` says, if anything: `JWT`, or what is being specified for these assertions alone.
    private static let tokenTypes = ["jwt", "client-authentication+jwt"]

    private let bytes: [UInt8]
    let token: CompactToken
    let algorithm: SignatureAlgorithm
    /// `iss` and `sub`.
    let clientID: String
    /// What is remembered of it: SHA-256 over the client's id, a zero octet and `jti`.
    let identifier: [UInt8]
    /// Until when it has to be known: Unix seconds.
    let rememberedUntil: Double

    /// - Parameters:
    ///   - clientID: Who the client says it is besides, if it does.
    ///   - audiences: Every audience of the assertion has to be one of these: what is meant for another server, too,
    ///     that server could use here.
    ///   - now: Unix seconds.
    init(_ text: String, clientID: String?, audiences: [String], now: Double) throws(AssertionProblem) {
        let bytes = Array(text.utf8)
        let token: CompactToken
        do throws(TokenProblem) {
            token = try CompactToken(bytes.span.bytes)
        } catch {
            throw .token(error)
        }
        (self.bytes, self.token) = (bytes, token)
        guard let algorithm = token.algorithm, Self.algorithms.contains(algorithm) else {
            throw .token(.algorithmNotAllowed)
        }
        self.algorithm = algorithm
        let claims = token.claims
        guard let subject = Self.name(claims["sub"]), let issuer = Self.name(claims["iss"]),
            subject.utf8.elementsEqual(issuer.utf8), clientID.map({ $0.utf8.elementsEqual(subject.utf8) }) ?? true
        else { throw .wrongSubject }
        self.clientID = subject
        guard Self.isMeant(claims["aud"], for: audiences) else { throw .wrongAudience }
        guard case .number(let expiresAt, _)? = claims["exp"] else { throw .token(.missingExpiry) }
        guard expiresAt <= now + Self.lifetime + Self.leeway else { throw .expiresTooLate }
        guard let name = Self.name(claims["jti"]) else { throw .missingIdentifier }
        self.identifier = Digest.sha256(Array(subject.utf8) + [0] + Array(name.utf8))
        // Twice: the clock of the process that forgets may be ahead of the one that is asked.
        self.rememberedUntil = expiresAt + 2 * Self.leeway
    }

    /// What is wrong with its signature or its times, if anything.
    func verify(with keys: KeySet<PublicKey>, now: Double) -> AssertionProblem? {
        let rules = IssuerRules(
            name: "client", issuer: self.clientID, audiences: nil, algorithms: Self.algorithms, leeway: Self.leeway,
            tokenTypes: Self.tokenTypes)
        let found = LocalValidation(verifier: OpenSSLVerifier())
            .check(token: self.token, bytes: self.bytes.span.bytes, rules: rules, keys: keys, now: now)
        switch found {
        case .valid: return nil
        case .invalid(let problem): return .token(problem)
        case .unknownKey: return .token(.unknownKey)
        }
    }

    /// A name that is not empty, and short enough to be looked up or remembered.
    private static func name(_ value: JSONValue?) -> String? {
        guard let text = value?.string, (1...Self.longestName).contains(text.utf8.count) else { return nil }
        return text
    }

    private static func isMeant(_ value: JSONValue?, for audiences: [String]) -> Bool {
        let named: [String?]
        switch value {
        case .string(let text): named = [text]
        case .array(let items): named = items.map(\.string)
        default: return false
        }
        return !named.isEmpty
            && named.allSatisfy { name in audiences.contains { $0.utf8.elementsEqual(name?.utf8 ?? "".utf8) } }
    }
}

/// Why an assertion is not accepted. For the log; the answer is one for all.
enum AssertionProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case token(TokenProblem)
    /// `iss`, `sub` and `client_id` are not one client.
    case wrongSubject
    /// An audience is missing, or not this issuer.
    case wrongAudience
    /// `exp` is too far ahead.
    case expiresTooLate
    /// `jti` is missing, empty or too long.
    case missingIdentifier
    /// There is no such client, or it has no key that fits.
    case noKey
    /// It was used before.
    case replayed

    /// A short stable name.
    var description: String {
        switch self {
        case .token(let problem): problem.code
        case .wrongSubject: "wrong_subject"
        case .wrongAudience: "wrong_audience"
        case .expiresTooLate: "expires_too_late"
        case .missingIdentifier: "missing_jti"
        case .noKey: "no_key"
        case .replayed: "replayed"
        }
    }
}
