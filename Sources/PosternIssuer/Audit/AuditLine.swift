import PosternCore

extension AuditEntry {
    /// The entry as one line of JSON, without its end. What is not known has no member.
    var line: String {
        var line = JSONObjectWriter()
        line.add("time", TimeText.milliseconds(self.time))
        line.add("action", self.action.rawValue)
        line.add("allowed", self.isAllowed)
        if let actor { line.add("actor", actor) }
        if let target { line.add("target", target) }
        if let reason { line.add("reason", reason) }
        if let address { line.add("address", address) }
        if let requestID { line.add("request_id", requestID) }
        return String(decoding: line.finished(), as: UTF8.self)
    }
}
