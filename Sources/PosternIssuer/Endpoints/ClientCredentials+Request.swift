import Foundation
import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// How a client authenticates at the OAuth endpoints: by exactly one of the Authorization header, a secret in the form
/// (RFC 6749 section 2.3.1), and an assertion (RFC 7523 section 2.2).
extension ClientCredentials {
    /// Longer names and secrets than any that this issuer makes are not looked up.
    private static let limit = 1024

    static func find(in headers: HTTPFields, _ form: FormBody) throws(OAuthError) -> ClientCredentials {
        let authorization = headers[values: .authorization]
        let hasAssertion = form["client_assertion"] != nil || form["client_assertion_type"] != nil
        guard authorization.count <= 1 else { throw .invalidRequest("there is more than one Authorization header") }
        guard [authorization.count == 1, form["client_secret"] != nil, hasAssertion].filter(\.self).count <= 1 else {
            throw .invalidRequest("the client authenticates in more than one way")
        }
        if hasAssertion { return try Self.assertion(form) }
        if let header = authorization.first { return try Self.basic(header, form) }
        guard let clientID = form["client_id"], let secret = form["client_secret"] else {
            throw .invalidClient(
                "the client did not authenticate: use HTTP Basic, client_id and client_secret, or client_assertion",
                challenge: true)
        }
        return try Self.secret(clientID: clientID, secret: secret).checked()
    }

    private static func assertion(_ form: FormBody) throws(OAuthError) -> ClientCredentials {
        guard form["client_assertion_type"] == ClientAssertion.type, let text = form["client_assertion"] else {
            throw .invalidClient(
                "client_assertion comes with the client_assertion_type \(ClientAssertion.type)", challenge: false)
        }
        return .assertion(text, clientID: form["client_id"])
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
        return try Self.secret(clientID: clientID, secret: secret, usedBasic: true).checked()
    }

    /// Throws the answer for a wrong secret if the name or the secret is none that can be looked up.
    func checked() throws(OAuthError) -> ClientCredentials {
        if case .secret(let clientID, let secret, _) = self,
            clientID.isEmpty || clientID.utf8.count > Self.limit || secret.utf8.count > Self.limit
        {
            throw OAuthError(.invalidClient, challenge: self.wantsChallenge)
        }
        return self
    }
}

extension ClientCredentials {
    /// The answer for a refusal, which goes into the log as `message` and into the audit log as what `action` was refused.
    func error(
        for refusal: TokenRefusal, _ message: Logger.Message, _ action: AuditEntry.Action, _ context: IssuerContext,
        _ audit: AuditLog
    ) -> OAuthError {
        // Before it is proven, the name is just something that a stranger sent.
        let clientID = refusal.isOfProvenClient ? self.clientID : nil
        var metadata: Logger.Metadata = ["reason": "\(refusal.reason)"]
        if let clientID { metadata["client_id"] = "\(clientID)" }
        context.logger.info(message, metadata: metadata)
        audit.record(
            context.audit(action, by: clientID.map { "client:\($0)" }, isAllowed: false, reason: refusal.reason))
        return OAuthError(refusal, challenge: self.wantsChallenge)
    }
}
