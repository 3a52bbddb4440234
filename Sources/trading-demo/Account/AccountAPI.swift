import HTTPTypes
import Hummingbird

/// The account service: profiles and balances.
struct AccountAPI: Sendable {
    let directory: ProfileDirectory

    private struct Profiles: Encodable {
        var profiles: [Profile]
        var count: Int
    }

    private struct Balances: Encodable {
        var balances: [Balance]
        var count: Int
    }

    func register(in routes: inout RouteList) {
        let directory = self.directory
        routes.on(.get, "/health") { request, _ in try Answer.json(Health(service: "account"), to: request) }
        routes.on(.get, "/api/v1/profiles") { request, _ in
            let profiles = await directory.all()
            return try Answer.json(Profiles(profiles: profiles, count: profiles.count), to: request)
        }
        routes.on(.get, "/api/v1/profiles/{user_id}") { request, context in
            guard let profile = await directory.profile(try context.parameters.require("user_id")) else {
                throw Failure(status: .notFound, message: "there is no such profile")
            }
            return try Answer.json(profile, to: request)
        }
        routes.on(.put, "/api/v1/profiles/{user_id}") { request, context in
            let user = try context.parameters.require("user_id")
            let change = try await request.decode(as: ProfileChange.self, context: context)
            return try Answer.json(try await directory.change(user, change), to: request)
        }
        routes.on(.get, "/api/v1/balances") { request, _ in
            try Answer.json(Balances(balances: Balance.all, count: Balance.all.count), to: request)
        }
        routes.on(.get, "/api/v1/balances/{account_id}") { request, context in
            let account = try context.parameters.require("account_id")
            guard let balance = Balance.all.first(where: { $0.accountId == account }) else {
                throw Failure(status: .notFound, message: "there is no such account")
            }
            return try Answer.json(balance, to: request)
        }
    }
}
