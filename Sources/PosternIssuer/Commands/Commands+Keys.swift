import PosternCore

extension Commands {
    func serviceKey(_ operation: ServiceKeyOperation) async throws -> CommandAnswer {
        try await self.answer(
            missing: "there is no active key with this name", exists: "there is an active key with this name already"
        ) { try await self.result(of: operation) }
    }

    private func result(of operation: ServiceKeyOperation) async throws -> JSONValue {
        let keys = self.issuer.serviceKeys
        switch operation {
        case .create(let given):
            var reader = given.reader(ServiceKeyFields.all)
            let fields = ServiceKeyFields(&reader)
            try reader.finish()
            let made = try await keys.create(fields, audit: self.audit(.serviceKeyCreated))
            return made.key.json(text: made.text)
        case .list:
            return .array(try await keys.list().map(\.json))
        case .revoke(let name):
            try await keys.revoke(name, audit: self.audit(.serviceKeyRevoked))
            return .record([("name", .string(name)), ("revoked", .bool(true))])
        }
    }

    func key(_ operation: KeyOperation) async throws -> CommandAnswer {
        let keys = try await self.keyObjects()
        switch operation {
        case .list:
            return Self.answer(.array(keys.map { .record($0) }))
        case .rotate:
            let (added, entry) = try await self.issuer.keys.rotate(to: self.algorithm, by: "command")
            guard added else { throw CommandRefusal(sentences: ["a key waits already to sign: see `key list`"]) }
            self.issuer.audit.changed(entry)
            return Self.answer(.record(try await self.keyObjects()[0]))
        }
    }

    /// All signing keys, the last one to sign first.
    private func keyObjects() async throws -> [[(String, JSONValue)]] {
        let lifetime = try await self.issuer.store.longestAccessTokenLifetime(floor: KeySchedule.leastLifetime)
        let schedule = self.issuer.keys.schedule
        let states = schedule.states(now: self.issuer.clock.now(), longestLifetime: lifetime)
        return zip(schedule.keys, states).map { key, state in
            var removedAt = JSONValue.null
            if case .retired(let until) = state { removedAt = .string(TimeText.seconds(until)) }
            return [
                ("kid", .string(key.kid)), ("algorithm", .string(key.algorithm)), ("state", .string(state.name)),
                ("created_at", .string(TimeText.seconds(key.createdAt))),
                ("signs_from", .string(TimeText.seconds(key.signsFrom))), ("removed_at", removedAt),
            ]
        }
    }

    func tailAudit(_ count: Int) async throws -> CommandAnswer {
        // What was only given or refused comes to the table a moment later.
        let entries = try await self.issuer.store.auditEntries(limit: count).reversed().sorted { $0.time < $1.time }
        return CommandAnswer(lines: entries.map(\.line))
    }
}
