import HTTPTypes
import Hummingbird
import Logging
import PosternCore

/// `/api/v1/admin/users`: users as administrators see and change them.
struct UserEndpoints: Sendable {
    private static let path = "/api/v1/admin/users"

    let service: UserAdministration
    let gate: AdminGate

    func register(in routes: inout RouteList) {
        routes.on(.post, Self.path) { try await self.create($0, $1) }
        routes.on(.get, Self.path) { try await self.list($0, $1) }
        routes.on(.get, Self.path + "/{id}") { try await self.show($0, $1) }
        routes.on(.patch, Self.path + "/{id}") { try await self.change($0, $1) }
        routes.on(.delete, Self.path + "/{id}") { try await self.delete($0, $1) }
    }

    private func create(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.gate.admit(request, context, scope: AdminGate.users)
        let new = try NewUser(try await FieldReader.body(of: request, fields: UserFields.names))
        let user = try await self.answering {
            try await self.service.create(new, audit: context.audit(.userCreated, by: actor))
        }
        context.logger.info("user created", metadata: ["user_id": "\(user.id)", "by": "\(actor)"])
        return Self.answer(user, status: .created, headers: [.location: "\(Self.path)/\(user.id)"])
    }

    private func list(_ request: Request, _ context: IssuerContext) async throws -> Response {
        _ = try await self.gate.admit(request, context, scope: AdminGate.users)
        let query = try PageQuery(request)
        let page = try await self.service.list(after: query.after, limit: query.limit)
        let body = JSONValue.record([
            ("items", .array(page.items.map(\.json))), ("next", page.next.map { .string($0) } ?? .null),
        ])
        return .json(body, headers: .notStored)
    }

    private func show(_ request: Request, _ context: IssuerContext) async throws -> Response {
        _ = try await self.gate.admit(request, context, scope: AdminGate.users)
        guard let user = try await self.service.user(try Self.id(context)) else { throw Self.noUser }
        return Self.answer(user)
    }

    private func change(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.gate.admit(request, context, scope: AdminGate.users)
        let id = try Self.id(context)
        var reader = try await FieldReader.body(of: request, fields: UserFields.names)
        let fields = UserFields(&reader)
        try reader.finish()
        let user = try await self.answering {
            try await self.service.change(id, fields, audit: context.audit(.userChanged, by: actor))
        }
        context.logger.info(
            "user changed",
            metadata: ["user_id": "\(id)", "by": "\(actor)", "fields": "\(fields.changes ?? "none")"])
        return Self.answer(user)
    }

    private func delete(_ request: Request, _ context: IssuerContext) async throws -> Response {
        let actor = try await self.gate.admit(request, context, scope: AdminGate.users)
        let id = try Self.id(context)
        try await self.answering {
            try await self.service.delete(id, audit: context.audit(.userRemoved, by: actor))
        }
        context.logger.info("user deleted", metadata: ["user_id": "\(id)", "by": "\(actor)"])
        return Response(status: .noContent)
    }

    private static let noUser = Problem.missing("there is no such user")

    /// The id in the path. Throws `Problem` (404) for what can be none.
    private static func id(_ context: IssuerContext) throws(Problem) -> String {
        guard let id = context.parameters.get("id"), Identifier.isUUID(id) else { throw self.noUser }
        return id
    }

    private static func answer(
        _ user: User, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var all = HTTPFields.notStored
        all.append(contentsOf: headers)
        return .json(user.json, status: status, headers: all)
    }

    /// Gives what the store refuses, and too many passwords at once, their answers.
    private func answering<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch StoreRefusal.missing {
            throw Self.noUser
        } catch StoreRefusal.exists {
            throw Problem.alreadyExists("another user has this username or this e-mail address")
        } catch is PasswordOverload {
            throw Problem.overloaded(retryAfter: PasswordOverload.retryAfter)
        }
    }
}

extension Problem {
    /// 503: too much of what takes long is asked for at once.
    static func overloaded(retryAfter seconds: Int) -> Problem {
        Problem(
            status: .serviceUnavailable, code: "overloaded", title: "Overloaded",
            detail: "too many passwords are to be checked at once; try again later",
            extraHeaders: [.retryAfter: String(seconds)])
    }
}
