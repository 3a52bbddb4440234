import HTTPTypes
import PosternCore

extension APIOperation {
    /// `/auth/service-keys`.
    static let serviceKeys: [APIOperation] = [
        APIOperation(
            method: .post, path: "/auth/service-keys", id: "createServiceKey", tag: .serviceKeys,
            summary: "Makes a service key", security: APISecurity.administrator(AdminGate.clients),
            body: .json(.reference(.newServiceKey)),
            answers: [
                .json(201, "The key, shown this once.", .reference(.createdServiceKey), headers: [.notStored])
            ] + .gate + .jsonBody + .exists("An active key has this name.")),
        APIOperation(
            method: .get, path: "/auth/service-keys", id: "listServiceKeys", tag: .serviceKeys,
            summary: "Lists all service keys, revoked ones as well",
            security: APISecurity.administrator(AdminGate.clients),
            answers: [.json(200, "All of them, oldest first.", .array(of: .reference(.serviceKey)))] + .gate),
        APIOperation(
            method: .delete, path: "/auth/service-keys/{name}", id: "revokeServiceKey", tag: .serviceKeys,
            summary: "Revokes the active key of this name: it is refused from now on",
            security: APISecurity.administrator(AdminGate.clients),
            parameters: [.path("name", "The name of the key.", .string)],
            answers: [.empty(204, "It is revoked.")] + .gate + .notFound("active key")),
    ]
}
