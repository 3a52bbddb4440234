import PosternCore

/// What somebody wants a user to be: the members of a request that were there, checked. The same for a new user and for
/// a change.
struct UserFields: Equatable, Sendable {
    /// When an account ends.
    enum Expiry: Equatable, Sendable {
        case never
        /// Unix seconds.
        case at(Int)
    }

    /// The members that there are.
    static let names = [
        "username", "password", "email", "email_verified", "is_active", "is_admin", "roles", "permissions",
        "expires_on",
    ]
    /// Roles or permissions of one user: how many, how long each, and together, in octets. They go into his tokens,
    /// which must not outgrow the headers that carry them.
    static let most = 64
    static let longest = 64
    static let together = 1024
    /// Characters (Unicode scalars) of a password.
    static let passwordLength = 8...256

    var username: String?
    var password: String?
    var email: String?
    var isEmailVerified: Bool?
    var isActive: Bool?
    var isAdmin: Bool?
    var roles: [String]?
    var permissions: [String]?
    var expiresOn: Expiry?

    /// Reads what is there; what is wrong is in the reader afterwards.
    init(_ reader: inout FieldReader) {
        self.username = Self.username(&reader)
        self.password = Self.password(&reader)
        self.email = Self.email(&reader)
        self.isEmailVerified = reader.bool("email_verified")
        self.isActive = reader.bool("is_active")
        self.isAdmin = reader.bool("is_admin")
        self.roles = Self.list("roles", &reader) { name in
            name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        }
        self.permissions = Self.list("permissions", &reader) { ScopeList.isScope($0) }
        self.expiresOn = Self.expiry(&reader)
    }

    /// The names of the members that were there, as they are audited; nil if none was.
    var changes: String? {
        let isThere = [
            self.username != nil, self.password != nil, self.email != nil, self.isEmailVerified != nil,
            self.isActive != nil, self.isAdmin != nil, self.roles != nil, self.permissions != nil,
            self.expiresOn != nil,
        ]
        let names = zip(Self.names, isThere).filter(\.1).map(\.0)
        return names.isEmpty ? nil : names.joined(separator: " ")
    }

    /// Changes a user as wanted. `passwordHash` is of the new password; nil: it stays.
    func apply(to user: inout User, passwordHash: String?) {
        if let username = self.username { user.username = username }
        if let email = self.email { user.email = email }
        if let isEmailVerified = self.isEmailVerified { user.isEmailVerified = isEmailVerified }
        if let isActive = self.isActive { user.isActive = isActive }
        if let isAdmin = self.isAdmin { user.isAdmin = isAdmin }
        if let roles = self.roles { user.roles = roles }
        if let permissions = self.permissions { user.permissions = permissions }
        switch self.expiresOn {
        case .never: user.expiresOn = nil
        case .at(let time): user.expiresOn = time
        case nil: break
        }
        if let passwordHash { user.passwordHash = passwordHash }
    }

    /// A user name as it is stored, in lower case; nil if it can be none: 1 to 64 of `a-z0-9._@-`.
    static func normalized(_ username: String) -> String? {
        guard (1...64).contains(username.utf8.count) else { return nil }
        var octets: [UInt8] = []
        for octet in username.utf8 {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): octets.append(octet | 0x20)
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "-"):
                octets.append(octet)
            default: return nil
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }
}

extension UserFields {
    private static func username(_ reader: inout FieldReader) -> String? {
        guard let text = reader.string("username") else { return nil }
        guard let name = Self.normalized(text) else {
            reader.refuse("username", "is 1 to 64 of a-z 0-9 . _ @ -")
            return nil
        }
        return name
    }

    private static func password(_ reader: inout FieldReader) -> String? {
        guard let password = reader.string("password", limit: Self.passwordLength.upperBound * 4) else { return nil }
        guard Self.passwordLength.contains(password.unicodeScalars.count) else {
            reader.refuse(
                "password",
                "is \(Self.passwordLength.lowerBound) to \(Self.passwordLength.upperBound) characters long")
            return nil
        }
        return password
    }

    private static func email(_ reader: inout FieldReader) -> String? {
        guard let email = reader.string("email", limit: 254) else { return nil }
        if email.isEmpty { return email }
        let parts = email.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts.contains(where: \.isEmpty),
            email.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            reader.refuse("email", "is an address like name@example.org in ASCII, or empty")
            return nil
        }
        return email
    }

    private static func list(
        _ field: String, _ reader: inout FieldReader, _ isAllowed: (String) -> Bool
    ) -> [String]? {
        guard let names = reader.strings(field, most: Self.most, limit: Self.longest) else { return nil }
        guard names.allSatisfy(isAllowed) else {
            reader.refuse(field, "has a name with characters that are not allowed")
            return nil
        }
        guard names.reduce(0, { $0 + $1.utf8.count }) <= Self.together else {
            reader.refuse(field, "is longer than \(Self.together) bytes")
            return nil
        }
        return names
    }

    private static func expiry(_ reader: inout FieldReader) -> Expiry? {
        if case .null? = reader.value("expires_on") { return .never }
        guard let text = reader.string("expires_on") else { return nil }
        guard let time = TimeText.read(text) else {
            reader.refuse("expires_on", "is an RFC 3339 time or date from 1970 on, or null")
            return nil
        }
        return .at(time)
    }
}
