import HTTPTypes
import Hummingbird
import PosternCore

/// `/auth/service-keys`: the keys with which services introspect, for administrators.
struct ServiceKeyEndpoints: Sendable {
    private static let path = "/auth/service-keys"

    let keys: ServiceKeyService
    let gate: AdminGate

    func register(in routes: inout RouteList) {
        routes.on(.post, Self.path) { try await self.create($0, $1) }
        routes.on(.get, Self.path) { try await self.list($0, $1) }
        routes.on(.delete, Self.path + "/{name}") { try await self.revoke($0, $1) }
    }

    private func create(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.admit(request, context)
        var reader = try await FieldReader.body(of: request, fields: ServiceKeyFields.all)
        let fields = ServiceKeyFields(&reader)
        try reader.finish()
        do {
            let made = try await self.keys.create(fields, audit: context.audit(.serviceKeyCreated, by: actor))
            return .json(made.key.json(text: made.text), status: .created, headers: .notStored)
        } catch StoreRefusal.exists {
            throw Problem.alreadyExists("there is an active key with this name")
        }
    }

    private func list(_ request: Request, _ context: IssuerContext) async throws -> Response {
        _ = try await self.admit(request, context)
        return .json(
            JSONValue.array(try await self.keys.list().map(\.json)), headers: .notStored)
    }

    private func revoke(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.admit(request, context)
        let name = try context.parameter("name")
        do {
            try await self.keys.revoke(name, audit: context.audit(.serviceKeyRevoked, by: actor))
        } catch StoreRefusal.missing {
            throw Problem.missing("there is no active key with this name")
        }
        return Response(status: .noContent, headers: .notStored)
    }

    private func admit(_ request: Request, _ context: IssuerContext) async throws -> String {
        try await self.gate.admit(request, context, scope: AdminGate.clients)
    }
}
