import Foundation
import HTTPTypes

/// How a notification reaches its reader.
enum Medium: String, Codable {
    case email, push, sms
}

/// What a caller asks to send.
struct Message: Decodable {
    var to: String
    var medium: Medium
    var subject: String
    var text: String
}

/// One notification that was taken for delivery.
struct Notification: Encodable, Sendable {
    var notificationId: Int
    var to: String
    var medium: Medium
    var subject: String
    var status: String
    var acceptedAt: String
}

/// Which media a user wants.
struct Preferences: Codable, Sendable {
    var email: Bool
    var push: Bool
    var sms: Bool

    static let standard = Preferences(email: true, push: true, sms: false)
}

/// What was sent, in memory: the newest thousand.
actor Outbox {
    private static let capacity = 1000

    private var sent: [Notification] = []
    private var wishes: [String: Preferences] = [:]
    private var nextID = 1

    func all() -> [Notification] {
        self.sent
    }

    func send(_ message: Message) throws -> Notification {
        guard !message.to.isEmpty, !message.subject.isEmpty else {
            throw Failure(status: .badRequest, message: "to and subject must not be empty")
        }
        let notification = Notification(
            notificationId: self.nextID, to: message.to, medium: message.medium, subject: message.subject,
            status: "accepted", acceptedAt: Date.now.formatted(.iso8601))
        self.nextID += 1
        self.sent.append(notification)
        if self.sent.count > Self.capacity { self.sent.removeFirst() }
        return notification
    }

    func preferences(of user: String) -> Preferences {
        self.wishes[user] ?? .standard
    }

    func prefer(_ wanted: Preferences, by user: String) throws -> Preferences {
        guard self.wishes[user] != nil || self.wishes.count < Self.capacity else {
            throw Failure(status: .conflict, message: "the demo keeps preferences of \(Self.capacity) users")
        }
        self.wishes[user] = wanted
        return wanted
    }
}
