import PosternCore

/// A schema that has a name in the document.
enum Component: String, CaseIterable, Sendable {
    case problem = "Problem"
    case oauthError = "OAuthError"
    case token = "Token"
    case client = "Client"
    case newClient = "NewClient"
    case registeredClient = "RegisteredClient"
    case clientChange = "ClientChange"
    case clientPage = "ClientPage"
    case rotation = "SecretRotation"
    case rotatedSecret = "RotatedSecret"
    case clientKeySet = "ClientKeySet"
    case serviceKey = "ServiceKey"
    case newServiceKey = "NewServiceKey"
    case createdServiceKey = "CreatedServiceKey"
    case introspectionRequest = "IntrospectionRequest"
    case identity = "Identity"
    case tokenState = "TokenState"
    case loginRequest = "LoginRequest"
    case refreshRequest = "RefreshRequest"
    case logoutRequest = "LogoutRequest"
    case session = "Session"
    case user = "User"
    case newUser = "NewUser"
    case userChange = "UserChange"
    case userPage = "UserPage"
    case keySet = "KeySet"
    case metadata = "Metadata"
    case health = "Health"

    /// What it stands for.
    var schema: Schema {
        switch self {
        case .problem: .problem
        case .oauthError: .oauthError
        case .token: .token
        case .client: .object(SchemaField.client)
        case .newClient: .newClient
        case .registeredClient: .registeredClient
        case .clientChange: .object(SchemaField.clientSettings)
        case .clientPage: .page(of: .client)
        case .rotation: .rotation
        case .rotatedSecret: .rotatedSecret
        case .clientKeySet: .clientKeySet
        case .serviceKey: .serviceKey
        case .newServiceKey: .newServiceKey
        case .createdServiceKey: .createdServiceKey
        case .introspectionRequest: .introspectionRequest
        case .identity: .identity
        case .tokenState: .tokenState
        case .loginRequest: .loginRequest
        case .refreshRequest: .refreshRequest
        case .logoutRequest: .logoutRequest
        case .session: .session
        case .user: .object(SchemaField.user)
        case .newUser: .newUser
        case .userChange: .object(SchemaField.userSettings)
        case .userPage: .page(of: .user)
        case .keySet: .keySet
        case .metadata: .metadata
        case .health: .health
        }
    }
}

extension Schema {
    /// Part of a list, in the order of `after`.
    static func page(of item: Component) -> Schema {
        .object([
            .required("items", .array(of: .reference(item))),
            .required(
                "next", Schema.string.orNull.described("What `after` is for the next part; null: this is the last.")),
        ])
    }

    /// A name that is registered: ASCII letters, digits and `._-`.
    static func name(_ length: ClosedRange<Int>) -> Schema {
        Schema.string.length(length).pattern("^[A-Za-z0-9._-]+$")
    }

    /// A scope token of RFC 6749 section 3.3.
    static let scope = Schema.string.length(1...256).pattern("^[!#-\\[\\]-~]+$")

    /// A text for people: so many octets of UTF-8, no control characters.
    static func text(_ octets: ClosedRange<Int>) -> Schema {
        Schema.plain.length(octets)
            .described("\(octets.lowerBound) to \(octets.upperBound) octets of UTF-8, no control characters.")
    }

    /// No control characters.
    static let plain = Schema.string.pattern("^[^\\u0000-\\u001f\\u007f-\\u009f]*$")

    /// An e-mail address by its looks, or empty. Only people read it: it need not be ASCII.
    static let contact = Schema.string.pattern(
        "^([^@ \\u0000-\\u001f\\u007f-\\u009f]+@[^@ \\u0000-\\u001f\\u007f-\\u009f]+)?$")
    /// An e-mail address of a user, or empty.
    static let email = Schema.string.pattern("^([!-?A-~]+@[!-?A-~]+)?$")
}
