import PosternCore

extension Commands {
    func user(_ operation: UserOperation) async throws -> CommandAnswer {
        try await self.answer(
            missing: "there is no user with this id or name",
            exists: "another user has this username or this e-mail address"
        ) { try await self.result(of: operation) }
    }

    private func result(of operation: UserOperation) async throws -> JSONValue {
        let users = self.issuer.people.administration
        switch operation {
        case .create(let fields):
            let new = try NewUser(fields.reader(UserFields.names))
            return try await users.create(new, audit: self.audit(.userCreated)).json
        case .list(let page):
            return Self.page(try await users.list(after: page.after, limit: page.limit), \.json)
        case .show(let name):
            return try await self.user(name).json
        case .change(let name, let fields):
            var reader = fields.reader(UserFields.names)
            let change = UserFields(&reader)
            try reader.finish()
            return try await users.change(try await self.user(name).id, change, audit: self.audit(.userChanged)).json
        case .delete(let name):
            let id = try await self.user(name).id
            try await users.delete(id, audit: self.audit(.userRemoved))
            return .record([("user_id", .string(id)), ("deleted", .bool(true))])
        }
    }

    /// By id or name. A name that looks like an id is looked for as an id first.
    private func user(_ name: String) async throws -> User {
        let users = self.issuer.people.administration
        if Identifier.isUUID(name), let user = try await users.user(name.lowercased()) { return user }
        guard let user = try await users.user(named: name) else { throw StoreRefusal.missing }
        return user
    }
}
