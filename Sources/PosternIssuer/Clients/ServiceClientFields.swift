import PosternCore

/// The fields of a service client as administrators write them, whether by API or by command line: how they become a
/// client or a change, and what is wrong with them.
enum ServiceClientFields {
    /// Those that a change may have.
    static let changeable = [
        "name", "description", "client_type", "is_active", "is_trusted", "access_token_lifetime",
        "refresh_token_lifetime", "rate_limit_per_minute", "rate_limit_per_hour", "contact_email", "allowed_ips",
        "scope_ids", "jwks",
    ]
    /// Those that a registration may have; only `client_id` must be there.
    static let all = ["client_id"] + Self.changeable

    /// Seconds.
    static let accessTokenLifetimes = 60...86_400
    static let refreshTokenLifetimes = 60...31_536_000
    static let ratesPerMinute = 1...1_000_000
    static let ratesPerHour = 1...100_000_000
    /// Octets.
    static let longestName = 256
    static let longestDescription = 1024
    static let longestAddress = 254

    /// A new client. What is wrong is in `reader.problems` then, and the client means nothing.
    static func client(_ reader: inout FieldReader) -> ServiceClient {
        reader.require("client_id")
        let clientID = reader.clientID("client_id") ?? ""
        var client = ServiceClient(clientID: clientID)
        Self.change(&reader).apply(&client)
        return client
    }

    /// A change of a client. What is wrong is in `reader.problems` then, and the change must not be made.
    static func change(_ reader: inout FieldReader) -> ServiceClientChange {
        var change = ServiceClientChange()
        for field in Self.changeable where reader.has(field) {
            guard let set = Self.read(field, &reader) else { continue }
            change.fields.append(field)
            change.changes.append(set)
        }
        return change
    }

    private static func read(_ field: String, _ reader: inout FieldReader) -> ServiceClientChange.Change? {
        switch field {
        case "is_active": Self.set(\.isActive, reader.bool(field))
        case "is_trusted": Self.set(\.isTrusted, reader.bool(field))
        case "access_token_lifetime":
            Self.set(\.accessTokenLifetime, reader.integer(field, in: Self.accessTokenLifetimes))
        case "refresh_token_lifetime":
            Self.set(\.refreshTokenLifetime, reader.integer(field, in: Self.refreshTokenLifetimes))
        case "rate_limit_per_minute": Self.set(\.rateLimits.perMinute, reader.integer(field, in: Self.ratesPerMinute))
        case "rate_limit_per_hour": Self.set(\.rateLimits.perHour, reader.integer(field, in: Self.ratesPerHour))
        default: Self.readText(field, &reader)
        }
    }

    private static func readText(_ field: String, _ reader: inout FieldReader) -> ServiceClientChange.Change? {
        switch field {
        case "name": Self.set(\.name, reader.string(field, limit: Self.longestName, allowsEmpty: false))
        case "description": Self.set(\.description, reader.string(field, limit: Self.longestDescription))
        case "contact_email": Self.set(\.contactEmail, reader.emailAddress(field, limit: Self.longestAddress))
        case "allowed_ips": Self.set(\.allowedAddresses, reader.addressBlocks(field))
        case "scope_ids": Self.set(\.scopes, reader.scopes(field))
        case "jwks": Self.set(\.keySet, reader.keySet(field))
        default: Self.confidential(field, &reader)
        }
    }

    /// There is one type of client, which is not kept.
    private static func confidential(_ field: String, _ reader: inout FieldReader) -> ServiceClientChange.Change? {
        guard reader.confidential(field) else { return nil }
        return { _ in }
    }

    private static func set<Value: Sendable>(
        _ path: any WritableKeyPath<ServiceClient, Value> & Sendable, _ value: Value?
    ) -> ServiceClientChange.Change? {
        guard let value else { return nil }
        return { client in client[keyPath: path] = value }
    }
}

/// What is to change of a client.
struct ServiceClientChange: Sendable {
    typealias Change = @Sendable (inout ServiceClient) -> Void

    /// The names of the fields that it sets.
    fileprivate(set) var fields: [String] = []
    fileprivate var changes: [Change] = []

    var isEmpty: Bool { self.fields.isEmpty }

    func apply(_ client: inout ServiceClient) {
        for change in self.changes { change(&client) }
    }
}
