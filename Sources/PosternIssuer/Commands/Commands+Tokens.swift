import PosternCore

extension Commands {
    func token(_ operation: TokenOperation) async throws -> CommandAnswer {
        switch operation {
        case .issue(let client, let scope): try await self.issue(client, scope)
        case .inspect(let token): try await self.inspect(token)
        case .revoke(let token): try await self.revoke(token)
        }
    }

    private func issue(_ clientID: String, _ scope: String?) async throws -> CommandAnswer {
        guard let client = try await self.issuer.store.client(clientID) else {
            throw CommandRefusal(sentences: ["there is no client with this client_id"])
        }
        guard client.isActive else { throw TokenRefusal.inactive }
        let scopes = try ScopeList.grant(scope, of: client)
        let token = try await self.issuer.tokens.sign(for: client, scopes: scopes, issuer: self.issuer.url.value)
        var entry = self.audit(.tokenIssued)
        entry.target = "token:\(token.identifier)"
        entry.reason = "client:\(clientID)"
        self.issuer.audit.record(entry)
        return CommandAnswer(lines: [String(decoding: token.answer, as: UTF8.self)])
    }

    /// The answer of RFC 7662, and a reason where the token is not active; then the command's end says so too.
    private func inspect(_ token: String) async throws -> CommandAnswer {
        let (answer, fault) = try await self.issuer.people.introspection.standard(
            token, for: .command, issuer: Self.issuer(of: token))
        guard let fault else { return Self.answer(answer) }
        return CommandAnswer(
            lines: [JSONValue.record([("active", .bool(false)), ("reason", .string(fault))]).serialized()],
            exitCode: 1)
    }

    private func revoke(_ token: String) async throws -> CommandAnswer {
        let outcome = try await self.issuer.revocations.revoke(
            token, by: .command, issuer: Self.issuer(of: token), audit: self.audit(.tokenRevoked))
        switch outcome {
        case .revoked(let tokenID, _):
            return Self.answer(.record([("revoked", .bool(true)), ("jti", .string(tokenID))]))
        case .sessionEnded(let userID, _):
            return Self.answer(.record([("revoked", .bool(true)), ("user_id", .string(userID))]))
        case .ignored(let problem):
            return CommandAnswer(
                lines: [
                    JSONValue.record([("revoked", .bool(false)), ("reason", .string(problem.code))]).serialized()
                ],
                exitCode: 1)
        }
    }

    /// What the token calls its issuer, unchecked: whoever has this store's key may have signed under several names, and
    /// the signature decides.
    private static func issuer(of token: String) -> String {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64URL.decode(Array(parts[1].utf8).span.bytes),
            let claims = try? JSONReader.parse(bytes.span.bytes)
        else { return "" }
        return claims["iss"]?.string ?? ""
    }
}
