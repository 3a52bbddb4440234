import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// How a client authenticates at the OAuth endpoints (RFC 6749 section 2.3.1): by exactly one of the Authorization header
/// and the form.
struct ClientCredentials: Equatable {
    var clientID: String
    var secret: String
    var usedBasic: Bool

    /// Longer names and secrets than any that this issuer makes are not looked up.
    private static let limit = 1024

    static func find(in headers: HTTPFields, _ form: FormBody) throws(OAuthError) -> ClientCredentials {
        let authorization = headers[values: .authorization]
        let hasAssertion = form["client_assertion"] != nil || form["client_assertion_type"] != nil
        guard authorization.count <= 1 else { throw .invalidRequest("there is more than one Authorization header") }
        guard [authorization.count == 1, form["client_secret"] != nil, hasAssertion].filter(\.self).count <= 1 else {
            throw .invalidRequest("the client authenticates in more than one way")
        }
        if hasAssertion {
            throw .invalidClient(
                "private_key_jwt is not available yet; use client_secret_basic or client_secret_post", challenge: false)
        }
        if let header = authorization.first { return try Self.basic(header, form) }
        guard let clientID = form["client_id"], let secret = form["client_secret"] else {
            throw .invalidClient(
                "the client did not authenticate: use HTTP Basic, or client_id and client_secret", challenge: true)
        }
        return try Self(clientID: clientID, secret: secret, usedBasic: false).checked()
    }

    private static func basic(_ header: String, _ form: FormBody) throws(OAuthError) -> ClientCredentials {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic" else {
            throw .invalidClient("the Authorization header is not Basic", challenge: true)
        }
        let encoded = parts[1].drop { $0 == " " }
        guard let data = Data(base64Encoded: String(encoded)), let colon = data.firstIndex(of: UInt8(ascii: ":")),
            let clientID = FormEncoding.decode([UInt8](data[..<colon])[...]),
            let secret = FormEncoding.decode([UInt8](data[(colon + 1)...])[...])
        else { throw .invalidClient("the Basic credentials are malformed", challenge: true) }
        if let named = form["client_id"], named != clientID {
            throw .invalidRequest("client_id is not the client of the Authorization header")
        }
        return try Self(clientID: clientID, secret: secret, usedBasic: true).checked()
    }

    func checked() throws(OAuthError) -> ClientCredentials {
        guard !self.clientID.isEmpty, self.clientID.utf8.count <= Self.limit, self.secret.utf8.count <= Self.limit
        else {
            throw OAuthError(.invalidClient, challenge: self.usedBasic)
        }
        return self
    }
}

extension ClientCredentials {
    /// The answer for a refusal, which is logged as `message`.
    func error(for refusal: TokenRefusal, _ message: Logger.Message, _ logger: Logger) -> OAuthError {
        let error = OAuthError(refusal, challenge: self.usedBasic)
        var metadata: Logger.Metadata = ["code": "\(error.code.rawValue)"]
        // Before the secret has matched, the name is just something that a stranger sent.
        if refusal != .invalidClient { metadata["client_id"] = "\(self.clientID)" }
        logger.info(message, metadata: metadata)
        return error
    }
}
