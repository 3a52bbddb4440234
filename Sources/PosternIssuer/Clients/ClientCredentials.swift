import PosternCore

/// What a client presents to prove who it is.
enum ClientCredentials: Equatable, Sendable {
    /// Its name and secret (RFC 6749 section 2.3.1).
    ///
    /// - Parameter usedBasic: In the Authorization header, not in the body.
    case secret(clientID: String, secret: String, usedBasic: Bool = false)
    /// A JWT that it has signed (RFC 7523 section 2.2).
    ///
    /// - Parameter clientID: Who it says it is besides; nil: the assertion alone says it.
    case assertion(String, clientID: String?)

    /// Who it says it is: true once it is authenticated, and until then what a stranger wrote.
    var clientID: String? {
        switch self {
        case .secret(let clientID, _, _): return clientID
        case .assertion(let text, _):
            let bytes = Array(text.utf8)
            return (try? CompactToken(bytes.span.bytes))?.claims["sub"]?.string
        }
    }

    /// Whether a refusal brings `WWW-Authenticate` (RFC 6749 section 5.2).
    var wantsChallenge: Bool {
        if case .secret(_, _, usedBasic: true) = self { true } else { false }
    }
}
