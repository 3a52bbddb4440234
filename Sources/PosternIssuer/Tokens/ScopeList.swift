/// Scopes as RFC 6749 section 3.3 writes them: tokens separated by spaces.
enum ScopeList {
    /// The distinct scopes in the order of their first mention. Nil if a character is not allowed in one.
    static func parse(_ text: String) -> [String]? {
        var scopes: [String] = []
        for part in text.split(separator: " ") {
            let scope = String(part)
            guard Self.isScope(scope) else { return nil }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        return scopes
    }

    /// The scopes as one text.
    static func text(_ scopes: [String]) -> String {
        var text = ""
        for scope in scopes {
            if !text.isEmpty { text.append(" ") }
            text.append(scope)
        }
        return text
    }

    /// The scopes that a client is given for its request: all of its own when it names none.
    static func grant(_ requested: String?, of client: ServiceClient) throws(TokenRefusal) -> [String] {
        guard let wanted = Self.parse(requested ?? "") else { throw .invalidScope("the scope is malformed") }
        if wanted.isEmpty { return client.scopes }
        for scope in wanted where !client.scopes.contains(scope) {
            let name = scope.utf8.count <= 64 ? " \(scope)" : ""
            throw .invalidScope("the client does not have the scope\(name)")
        }
        return wanted
    }

    /// Whether the text is one scope token.
    static func isScope(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(Self.isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C
    }
}
