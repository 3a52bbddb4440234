import PosternCore

extension Commands {
    func client(_ operation: ClientOperation) async throws -> CommandAnswer {
        try await self.answer(
            missing: "there is no client with this client_id", exists: "there is a client with this client_id already"
        ) { try await self.result(of: operation) }
    }

    private func result(of operation: ClientOperation) async throws -> JSONValue {
        let clients = self.issuer.clients
        switch operation {
        case .create(let fields):
            var reader = fields.reader(ServiceClientFields.all)
            let wanted = ServiceClientFields.client(&reader)
            try reader.finish()
            let made = try await clients.create(wanted, audit: self.audit(.clientCreated))
            return made.secret.json(of: made.client)
        case .list(let page):
            return Self.page(try await clients.list(after: page.after, limit: page.limit), \.json)
        case .show(let name):
            return try await clients.show(name).json
        case .change(let name, let fields):
            var reader = fields.reader(ServiceClientFields.changeable)
            let change = ServiceClientFields.change(&reader)
            try reader.finish()
            return try await clients.change(name, change, audit: self.audit(.clientChanged)).json
        case .delete(let name):
            try await clients.delete(name, audit: self.audit(.clientRemoved))
            return .record([("client_id", .string(name)), ("deleted", .bool(true))])
        case .rotateSecret(let name, let overlap):
            let range = ClientAdministration.overlaps
            guard range.contains(overlap) else {
                throw CommandRefusal(sentences: ["the overlap is \(range.lowerBound) to \(range.upperBound) seconds"])
            }
            return try await clients.rotateSecret(
                of: name, overlap: overlap, audit: self.audit(.clientSecretRotated)
            ).json
        }
    }
}
