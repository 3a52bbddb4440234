/// Names of a document in sentences about it.
enum Words {
    /// In quotes, at most 80 characters of it.
    static func quoted(_ text: String) -> String {
        text.unicodeScalars.count > 80 ? "\"\(String(text.unicodeScalars.prefix(80)))…\"" : "\"\(text)\""
    }

    static func quoted(_ bytes: [UInt8]) -> String {
        Self.quoted(String(decoding: bytes, as: UTF8.self))
    }

    /// `a`, `a and b`, `a, b and c`.
    static func list(_ items: [String], _ conjunction: String) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " \(conjunction) \(last)"
    }
}
