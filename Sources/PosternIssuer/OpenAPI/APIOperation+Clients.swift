import HTTPTypes
import PosternCore

extension APIOperation {
    private static let collection = "/api/v1/admin/service-clients"
    private static let item = "/api/v1/admin/service-clients/{id}"
    private static let id = APIParameter.path("id", "The `client_id`.", .string)

    /// `/api/v1/admin/service-clients`.
    static let clients: [APIOperation] = [
        APIOperation(
            method: .post, path: collection, id: "registerClient", tag: .clients, summary: "Registers a client",
            description: "The secret is shown this once. Scopes that are new join the catalogue.",
            security: APISecurity.administrator(AdminGate.clients), body: .json(.reference(.newClient)),
            answers: [
                .json(
                    201, "The client, with its secret.", .reference(.registeredClient),
                    headers: [.notStored, .location])
            ] + .gate + .jsonBody + .exists("There is a client of this name.")),
        APIOperation(
            method: .get, path: collection, id: "listClients", tag: .clients, summary: "Lists clients by `client_id`",
            security: APISecurity.administrator(AdminGate.clients), parameters: APIParameter.page,
            answers: [.json(200, "Some of them.", .reference(.clientPage))] + .gate + .fields),
        APIOperation(
            method: .get, path: item, id: "readClient", tag: .clients, summary: "Reads a client",
            security: APISecurity.administrator(AdminGate.clients), parameters: [id],
            answers: [.json(200, "The client.", .reference(.client))] + .gate + .notFound("client")),
        APIOperation(
            method: .patch, path: item, id: "changeClient", tag: .clients, summary: "Changes a client",
            description: "What is not sent stays. Deactivating revokes all its tokens.",
            security: APISecurity.administrator(AdminGate.clients), parameters: [id],
            body: .json(.reference(.clientChange)),
            answers: [.json(200, "The client as it is now.", .reference(.client))] + .gate + .jsonBody
                + .notFound("client")),
        APIOperation(
            method: .delete, path: item, id: "removeClient", tag: .clients,
            summary: "Removes a client and revokes all its tokens",
            security: APISecurity.administrator(AdminGate.clients), parameters: [id],
            answers: [.empty(204, "It is gone.")] + .gate + .notFound("client")),
        APIOperation(
            method: .post, path: item + "/rotate-secret", id: "rotateClientSecret", tag: .clients,
            summary: "Gives a client a new secret", security: APISecurity.administrator(AdminGate.clients),
            parameters: [id], body: .json(.reference(.rotation), isRequired: false),
            answers: [.json(200, "The new secret, shown this once.", .reference(.rotatedSecret))] + .gate + .jsonBody
                + .notFound("client")),
    ]
}

extension APIParameter {
    /// Which part of a list.
    static let page: [APIParameter] = [
        .query(
            "limit", "How many at most.", Schema.integer(1...PageQuery.most).byDefault(.integer(PageQuery.standard))),
        .query("after", "The `next` of the part before.", Schema.string.length(0...256)),
    ]
}
