import HTTPTypes
import PosternCore

extension APIOperation {
    private static let collection = "/api/v1/admin/users"
    private static let item = "/api/v1/admin/users/{id}"
    private static let id = APIParameter.path("id", "The `user_id`.", .string)
    private static let taken = [APIAnswer].exists("Another user has this name or e-mail address.")

    /// `/api/v1/admin/users`.
    static let users: [APIOperation] = [
        APIOperation(
            method: .post, path: collection, id: "createUser", tag: .users, summary: "Creates a user",
            security: APISecurity.administrator(AdminGate.users), body: .json(.reference(.newUser)),
            answers: [.json(201, "The user.", .reference(.user), headers: [.notStored, .location])] + .gate + .jsonBody
                + taken + .passwordWork),
        APIOperation(
            method: .get, path: collection, id: "listUsers", tag: .users, summary: "Lists users by `user_id`",
            security: APISecurity.administrator(AdminGate.users), parameters: APIParameter.page,
            answers: [.json(200, "Some of them.", .reference(.userPage))] + .gate + .fields),
        APIOperation(
            method: .get, path: item, id: "readUser", tag: .users, summary: "Reads a user",
            security: APISecurity.administrator(AdminGate.users), parameters: [id],
            answers: [.json(200, "The user.", .reference(.user))] + .gate + .notFound("user")),
        APIOperation(
            method: .patch, path: item, id: "changeUser", tag: .users, summary: "Changes a user",
            description: """
                What is not sent stays. A new password and deactivating end his sessions and revoke his tokens; new roles \
                and permissions show at the next introspection.
                """,
            security: APISecurity.administrator(AdminGate.users), parameters: [id],
            body: .json(.reference(.userChange)),
            answers: [.json(200, "The user as he is now.", .reference(.user))] + .gate + .jsonBody
                + .notFound("user") + taken + .passwordWork),
        APIOperation(
            method: .delete, path: item, id: "removeUser", tag: .users,
            summary: "Removes a user, ends his sessions and revokes his tokens",
            security: APISecurity.administrator(AdminGate.users), parameters: [id],
            answers: [.empty(204, "He is gone; his id is never used again.")] + .gate + .notFound("user")),
    ]
}
