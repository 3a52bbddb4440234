import HTTPTypes
import PosternCore

extension APIOperation {
    private static let opened = APIAnswer.json(200, "An access and a refresh token.", .reference(.session))

    /// `/auth/login`, `/auth/refresh`, `/auth/logout-all`.
    static let login: [APIOperation] = [
        APIOperation(
            method: .post, path: "/auth/login", id: "login", tag: .login, summary: "Tokens for a user's password",
            description: """
                A user who is inactive, whose account is over or whose e-mail address is not verified gets the same answer \
                as one with a wrong password.
                """,
            body: .json(.reference(.loginRequest)),
            answers: [
                opened,
                .problem(
                    401, "invalid_credentials", "The name or the password is wrong.", headers: [.bearerChallenge]),
                .problem(
                    401, "invalid_client", "The client's credentials are wrong, or it is not active.",
                    headers: [.bearerChallenge]),
                .problem(403, "access_denied", "The client may not be used from this address (`allowed_ips`)."),
                .problem(
                    429, "too_many_failures", "Too many failures for this name or from this address.",
                    headers: [.retryAfter]),
            ] + .jsonBody + .passwordWork),
        APIOperation(
            method: .post, path: "/auth/refresh", id: "refresh", tag: .login, summary: "New tokens for a refresh token",
            description: "A refresh token that is used twice ends the session, with its access tokens.",
            body: .json(.reference(.refreshRequest)),
            answers: [
                opened,
                .problem(
                    401, "invalid_grant", "The token is unknown, used or over.", headers: [.bearerChallenge]),
            ] + .jsonBody),
        APIOperation(
            method: .post, path: "/auth/logout-all", id: "logoutAll", tag: .login,
            summary: "Ends all sessions of a user and revokes all his tokens",
            description: "A user's own; with `user_id`, and for administrators, those of somebody else.",
            security: APISecurity.administrator(AdminGate.users),
            body: .json(.reference(.logoutRequest), isRequired: false),
            answers: [.empty(204, "They are over.")] + .gate + .jsonBody + .notFound("user")),
    ]
}
