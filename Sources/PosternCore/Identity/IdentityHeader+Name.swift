extension IdentityHeader {
    /// Headers that the proxy or the protocol has another use for, folded (lower case, `-` for `_`).
    private static let reserved: Set<String> = [
        "authorization", "connection", "content-length", "content-type", "cookie", "expect", "forwarded", "host",
        "keep-alive", "proxy-authorization", "proxy-connection", "te", "traceparent", "tracestate", "trailer",
        "transfer-encoding", "upgrade", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
        "x-request-id",
    ]

    /// Why `name` cannot be the name of an identity header; nil if it can. For the check of proxy.yaml.
    public static func problem(name: String) -> String? {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isTokenCharacter }) else {
            return "\(name.isEmpty ? "an empty text" : name) is not a header name; write one like X-User-Id"
        }
        guard !self.reserved.contains(self.folded(name)) else {
            return "\(name) has a meaning of its own and cannot carry identity; write another name, like X-User-Id"
        }
        return nil
    }

    /// The name as services read it that make `_` and `-`, upper and lower case the same. Two headers with one folded name
    /// are one header to them.
    public static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map { $0.foldedNameByte }, as: UTF8.self)
    }
}
