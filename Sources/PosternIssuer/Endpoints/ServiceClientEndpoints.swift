import HTTPTypes
import Hummingbird
import PosternCore

/// `/api/v1/admin/service-clients`: registration and administration of clients, for administrators.
struct ServiceClientEndpoints: Sendable {
    private static let path = "/api/v1/admin/service-clients"

    let clients: ClientAdministration
    let gate: AdminGate

    func register(in routes: inout RouteList) {
        routes.on(.post, Self.path) { try await self.create($0, $1) }
        routes.on(.get, Self.path) { try await self.list($0, $1) }
        routes.on(.get, Self.path + "/{id}") { try await self.show($0, $1) }
        routes.on(.patch, Self.path + "/{id}") { try await self.change($0, $1) }
        routes.on(.delete, Self.path + "/{id}") { try await self.delete($0, $1) }
        routes.on(.post, Self.path + "/{id}/rotate-secret") { try await self.rotateSecret($0, $1) }
    }

    private func create(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.admit(request, context)
        var reader = try await FieldReader.body(of: request, fields: ServiceClientFields.all)
        let wanted = ServiceClientFields.client(&reader)
        try reader.finish()
        do {
            let made = try await self.clients.create(wanted, audit: context.audit(.clientCreated, by: actor))
            var headers = HTTPFields.notStored
            headers[.location] = "\(Self.path)/\(made.client.clientID)"
            return .json(made.secret.json(of: made.client), status: .created, headers: headers)
        } catch StoreRefusal.exists {
            throw Problem.alreadyExists("there is a client with this client_id")
        }
    }

    private func list(_ request: Request, _ context: IssuerContext) async throws -> Response {
        _ = try await self.admit(request, context)
        let wanted = try PageQuery(request)
        let page = try await self.clients.list(after: wanted.after, limit: wanted.limit)
        return .record([
            ("items", .array(page.items.map(\.json))), ("next", page.next.map { .string($0) } ?? .null),
        ])
    }

    private func show(_ request: Request, _ context: IssuerContext) async throws -> Response {
        _ = try await self.admit(request, context)
        let clientID = try context.parameter("id")
        return try await self.found { .record(try await self.clients.show(clientID).members) }
    }

    private func change(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.admit(request, context)
        let clientID = try context.parameter("id")
        var reader = try await FieldReader.body(of: request, fields: ServiceClientFields.changeable)
        let change = ServiceClientFields.change(&reader)
        try reader.finish()
        let audit = context.audit(.clientChanged, by: actor)
        return try await self.found {
            .record(try await self.clients.change(clientID, change, audit: audit).members)
        }
    }

    private func delete(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.admit(request, context)
        let clientID = try context.parameter("id")
        let audit = context.audit(.clientRemoved, by: actor)
        return try await self.found {
            try await self.clients.delete(clientID, audit: audit)
            return Response(status: .noContent, headers: .notStored)
        }
    }

    private func rotateSecret(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.admit(request, context)
        let clientID = try context.parameter("id")
        var reader = try await FieldReader.optionalBody(of: request, fields: ["overlap_seconds"])
        let overlap = reader.integer("overlap_seconds", in: ClientAdministration.overlaps) ?? 0
        try reader.finish()
        let audit = context.audit(.clientSecretRotated, by: actor)
        return try await self.found {
            let rotated = try await self.clients.rotateSecret(of: clientID, overlap: overlap, audit: audit)
            return .json(rotated.json, headers: .notStored)
        }
    }

    private func admit(_ request: Request, _ context: IssuerContext) async throws -> String {
        try await self.gate.admit(request, context, scope: AdminGate.clients)
    }

    private func found(_ answer: () async throws -> Response) async throws -> Response {
        do {
            return try await answer()
        } catch StoreRefusal.missing {
            throw Problem.missing("there is no client with this client_id")
        }
    }
}
