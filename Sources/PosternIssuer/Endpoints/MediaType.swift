import HTTPTypes

/// The media types that bodies may have (RFC 9110 section 8.3.1).
enum MediaType: String, CaseIterable {
    case form = "application/x-www-form-urlencoded"
    case json = "application/json"

    /// What the request says its body is: the part before any parameter, in any case. Nil: nothing, or another type.
    init?(of headers: HTTPFields) {
        guard let value = headers[.contentType] else { return nil }
        // As nearly everybody writes it.
        if let type = Self(rawValue: value) {
            self = type
            return
        }
        let end = value.utf8.firstIndex(of: UInt8(ascii: ";")) ?? value.endIndex
        self.init(rawValue: value[..<end].filter { $0 != " " && $0 != "\t" }.lowercased())
    }
}
