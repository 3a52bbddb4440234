import HTTPTypes

/// Who an account holder is.
struct Profile: Encodable, Sendable {
    var userId: String
    var displayName: String
    var email: String
    var language: String
}

/// The members of a profile that its holder may change; what is absent stays.
struct ProfileChange: Decodable {
    var displayName: String?
    var email: String?
    var language: String?
}

/// What one account holds, as decimal text so that no cent is lost on the way.
struct Balance: Encodable, Sendable {
    var accountId: String
    var userId: String
    var currency: String
    var available: String
    var reserved: String

    static let all = [
        Balance(accountId: "acc-1001", userId: "alice", currency: "USD", available: "25000.00", reserved: "700.00"),
        Balance(accountId: "acc-1002", userId: "alice", currency: "EUR", available: "3120.55", reserved: "0.00"),
        Balance(accountId: "acc-2001", userId: "bob", currency: "USD", available: "810.10", reserved: "50.00"),
    ]
}

/// The profiles, in memory.
actor ProfileDirectory {
    private var profiles = [
        "alice": Profile(userId: "alice", displayName: "Alice Moreau", email: "alice@example.com", language: "en"),
        "bob": Profile(userId: "bob", displayName: "Bob Tanaka", email: "bob@example.com", language: "ja"),
    ]

    func all() -> [Profile] {
        self.profiles.values.sorted { $0.userId < $1.userId }
    }

    func profile(_ user: String) -> Profile? {
        self.profiles[user]
    }

    func change(_ user: String, _ change: ProfileChange) throws -> Profile {
        guard var profile = self.profiles[user] else {
            throw Failure(status: .notFound, message: "there is no such profile")
        }
        if let email = change.email, !email.contains("@") {
            throw Failure(status: .badRequest, message: "email is not an address")
        }
        profile.displayName = change.displayName ?? profile.displayName
        profile.email = change.email ?? profile.email
        profile.language = change.language ?? profile.language
        self.profiles[user] = profile
        return profile
    }
}
