import HTTPTypes
import Hummingbird

/// The notification service: send, list, and each user's preferences.
struct NotificationAPI: Sendable {
    let outbox: Outbox

    private struct Notifications: Encodable {
        var notifications: [Notification]
        var count: Int
    }

    func register(in routes: inout RouteList) {
        let outbox = self.outbox
        routes.on(.get, "/health") { request, _ in try Answer.json(Health(service: "notification"), to: request) }
        routes.on(.get, "/api/v1/notifications") { request, _ in
            let sent = await outbox.all()
            return try Answer.json(Notifications(notifications: sent, count: sent.count), to: request)
        }
        routes.on(.post, "/api/v1/notifications") { request, context in
            let message = try await request.decode(as: Message.self, context: context)
            return try Answer.json(try await outbox.send(message), status: .accepted, to: request)
        }
        routes.on(.get, "/api/v1/preferences/{user_id}") { request, context in
            let user = try context.parameters.require("user_id")
            return try Answer.json(await outbox.preferences(of: user), to: request)
        }
        routes.on(.put, "/api/v1/preferences/{user_id}") { request, context in
            let user = try context.parameters.require("user_id")
            let wanted = try await request.decode(as: Preferences.self, context: context)
            return try Answer.json(try await outbox.prefer(wanted, by: user), to: request)
        }
    }
}
