import PosternCore

extension AuditEntry {
    /// The entry as one line of JSON, without its end. What is not known has no member.
    var line: String {
        self.json.serialized()
    }

    /// The members of the line.
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("time", .string(TimeText.milliseconds(self.time))), ("action", .string(self.action.rawValue)),
            ("allowed", .bool(self.isAllowed)),
        ]
        let optional = [
            ("actor", self.actor), ("target", self.target), ("reason", self.reason), ("address", self.address),
            ("request_id", self.requestID),
        ]
        for (name, value) in optional {
            if let value { members.append((name, .string(value))) }
        }
        return .record(members)
    }
}
