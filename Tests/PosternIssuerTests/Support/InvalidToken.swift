import PosternCore
import PosternCrypto

@testable import PosternIssuer

/// The ways in which a user's token, good until then, is worth nothing (4-issuer), each made to happen.
enum InvalidToken: CaseIterable {
    case badSignature, expired, wrongType, refreshToken, anotherIssuer, userUnknown, userInactive, userDeleted
    case accountExpired, emailNotVerified, revoked, loggedOut, passwordChanged, clientToken, clientRemoved
    case clientInactive, rubbish

    /// Why, as the log says it.
    var reason: String {
        switch self {
        case .badSignature: "bad_signature"
        case .expired: "expired"
        case .wrongType: "wrong_type"
        case .refreshToken, .rubbish: "malformed"
        case .anotherIssuer: "unknown_issuer"
        case .userUnknown, .userDeleted, .clientRemoved: "unknown_holder"
        case .userInactive, .clientInactive: "inactive"
        case .accountExpired: "account_expired"
        case .emailNotVerified: "email_not_verified"
        case .revoked, .loggedOut, .passwordChanged: "revoked"
        case .clientToken: "client_token"
        }
    }

    static let client = (id: "app", secret: "app-secret-0123456789-0123456789-01")

    /// The token, of a session through `client`.
    func make(_ user: User, _ session: IssuedSession, _ test: TestIssuer) async throws -> String {
        if let other = try await self.otherToken(user, session, test) { return other }
        let (people, now) = (test.issuer.people, test.clock.clock.now())
        switch self {
        case .expired: test.clock.advance(by: 900)
        case .userInactive: try await test.change(user, "{\"is_active\":false}")
        case .userDeleted: try await people.administration.delete(user.id, audit: .test)
        case .accountExpired: try await test.change(user, "{\"expires_on\":\"2025-10-09T08:53:20Z\"}")
        case .emailNotVerified: try await test.change(user, "{\"email_verified\":false}")
        case .revoked:
            let key = ServiceKey(
                id: "", name: "", description: "", prefix: "", digest: [], createdAt: 0, revokedAt: nil)
            _ = try await test.issuer.revocations.revoke(
                session.accessToken, by: .serviceKey(key), issuer: TestIssuer.url, audit: .test)
        case .loggedOut: try await people.sessions.logoutAll(user.id, audit: .test)
        case .passwordChanged: try await test.change(user, "{\"password\":\"another password\"}")
        case .clientRemoved: try await test.issuer.store.removeClient(Self.client.id, now: now, audit: .test)
        case .clientInactive:
            _ = try await test.issuer.store.changeClient(Self.client.id, now: now, audit: .test) {
                $0.isActive = false
            }
        default: break
        }
        return session.accessToken
    }

    /// Where another token than the session's is needed.
    private func otherToken(_ user: User, _ session: IssuedSession, _ test: TestIssuer) async throws -> String? {
        let parts = session.accessToken.split(separator: ".").map(String.init)
        let input = parts[0] + "." + parts[1]
        switch self {
        case .badSignature:
            return input + "." + Base64URL.encode(try SigningKey.generate(.es256).sign(Array(input.utf8)))
        case .wrongType:
            let signer = test.issuer.keys.signer
            let header = JSONValue.record([
                ("alg", .string("ES256")), ("typ", .string("JWT")), ("kid", .string(signer.kid)),
            ])
            let other = Base64URL.encode(Array(header.serialized().utf8)) + "." + parts[1]
            return other + "." + Base64URL.encode(try signer.key.sign(Array(other.utf8)))
        case .refreshToken: return session.refreshToken
        case .anotherIssuer: return try Self.token(of: user, issuer: "http://else.test", test)
        case .userUnknown:
            var nobody = user
            nobody.id = Identifier.uuid()
            return try Self.token(of: nobody, issuer: TestIssuer.url, test)
        case .clientToken: return try await test.token().text
        case .rubbish: return "rubbish"
        default: return nil
        }
    }

    private static func token(of user: User, issuer: String, _ test: TestIssuer) throws -> String {
        try AccessToken(
            issuer: issuer, audiences: ["mt5-api"], user: user, client: nil, lifetime: 900,
            issuedAt: Int(test.clock.clock.now())
        ).signed(by: test.issuer.keys.signer)
    }
}
