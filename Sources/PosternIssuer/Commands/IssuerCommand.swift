/// What the command line does on a store, while a server runs on the same one or none does. Answers are JSON.
public enum IssuerCommand: Sendable {
    case client(ClientOperation)
    case user(UserOperation)
    case serviceKey(ServiceKeyOperation)
    case key(KeyOperation)
    case token(TokenOperation)
    /// The last entries of the audit table, so many, oldest first.
    case tailAudit(Int)

    /// Whether it may end tokens, which the proxies have to learn.
    var revokes: Bool {
        switch self {
        case .client(.change), .client(.delete), .user(.change), .user(.delete), .token(.revoke): true
        default: false
        }
    }

    /// Whether it signs a token, and has to know as whom and for whom.
    var signs: Bool {
        if case .token(.issue) = self { true } else { false }
    }
}

/// What is done with clients, each named by its `client_id`.
public enum ClientOperation: Sendable {
    /// The secret is in the answer, this once.
    case create(CommandFields)
    case list(CommandPage)
    case show(String)
    case change(String, CommandFields)
    case delete(String)
    /// The new secret is in the answer, this once; the old one works for so many seconds more.
    case rotateSecret(String, overlap: Int)
}

/// What is done with users, each named by `user_id` or username.
public enum UserOperation: Sendable {
    case create(CommandFields)
    case list(CommandPage)
    case show(String)
    case change(String, CommandFields)
    case delete(String)
}

/// What is done with service keys.
public enum ServiceKeyOperation: Sendable {
    /// The key is in the answer, this once.
    case create(CommandFields)
    case list
    case revoke(String)
}

/// What is done with signing keys.
public enum KeyOperation: Sendable {
    case list
    /// Adds the key that is to sign next, of the algorithm that the configuration wants.
    case rotate
}

/// What is done with tokens.
public enum TokenOperation: Sendable {
    /// Signs one for a client as the token endpoint would, whatever its address and rate. Without a scope: all.
    case issue(client: String, scope: String?)
    /// Says what the store thinks of a token.
    case inspect(String)
    case revoke(String)
}

/// The part of a list that is wanted.
public struct CommandPage: Sendable {
    public static let limits = 1...PageQuery.most

    var after: String?
    var limit: Int

    /// - Parameters:
    ///   - after: `next` of the part before; nil: from the beginning.
    ///   - limit: One of ``limits``.
    public init(after: String?, limit: Int) {
        self.after = after
        self.limit = min(max(limit, Self.limits.lowerBound), Self.limits.upperBound)
    }
}

/// What a command printed, and how it ended.
public struct CommandAnswer: Equatable, Sendable {
    /// JSON, for standard output.
    public var lines: [String]
    /// 0, or 1: it was done, and the answer is no.
    public var exitCode: Int32 = 0
    /// What the operator should know besides; for standard error.
    public var warning: String?
}
