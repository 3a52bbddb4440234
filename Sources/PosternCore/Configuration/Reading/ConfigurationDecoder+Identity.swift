extension ConfigurationDecoder {
    mutating func identity(_ root: Field) -> [IdentityHeader] {
        guard let entries = root["identity"]?.entries else { return IdentityHeader.defaults }
        var result: [IdentityHeader] = []
        var names: [String: String] = [:]
        for entry in entries {
            let folded = FieldNames.folded(entry.key)
            if FieldNames.isReserved(folded) {
                self.reader.report(
                    "cannot hold an identity: Postern or HTTP itself sets this header", at: entry.mark,
                    path: entry.field.path)
            } else if let other = names[folded] {
                self.reader.report(
                    "is the same header as \(other): case does not count, and \"_\" counts as \"-\"", at: entry.mark,
                    path: entry.field.path)
            }
            names[folded] = entry.key
            guard let source = entry.field.text else { continue }
            result.append(IdentityHeader(name: entry.key, source: IdentityHeader.Source(source)))
        }
        return result
    }
}

extension IdentityHeader.Source {
    /// A mapped name, or else a claim.
    init(_ text: String) {
        switch text {
        case "user": self = .user
        case "name": self = .name
        case "roles": self = .roles
        case "scopes": self = .scopes
        case "client": self = .client
        case "admin": self = .admin
        case "issuer": self = .issuer
        default: self = .claim(ClaimSelector(text))
        }
    }
}

/// Names of header fields that configuration may not set.
enum FieldNames {
    /// As services compare names: case ignored, `_` read as `-`.
    static func folded(_ name: String) -> String {
        String(name.lowercased().map { $0 == "_" ? "-" : $0 })
    }

    /// Whether HTTP or Postern itself sets the field: framing, hop-by-hop, routing, credentials, correlation.
    static func isReserved(_ folded: String) -> Bool {
        Self.framing.contains(folded) || Self.own.contains(folded) || folded.hasPrefix("x-forwarded-")
            || folded.hasPrefix("proxy-")
    }

    /// Fields that belong to a connection or to the framing of a message.
    static let framing: Set<String> = [
        "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    private static let own: Set<String> = [
        "authorization", "cookie", "forwarded", "set-cookie", "traceparent", "tracestate", "www-authenticate",
        "x-request-id",
    ]
}
