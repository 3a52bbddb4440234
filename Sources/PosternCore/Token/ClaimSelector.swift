/// Where in a token's claims (or an introspection answer) a value stands.
public enum ClaimSelector: Hashable, Sendable {
    /// A top-level member, its name taken literally (dots and slashes included).
    case name(String)
    /// A JSON pointer (RFC 6901), given in proxy.yaml with a leading `/`; the unescaped reference tokens.
    case pointer([String])

    /// Reads the form of proxy.yaml: a leading `/` makes a pointer (`~1` is `/`, `~0` is `~`), anything else a name.
    public init(_ text: String) {
        guard text.hasPrefix("/") else {
            self = .name(text)
            return
        }
        let tokens = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        self = .pointer(tokens.map { Self.unescape($0) })
    }

    private static func unescape(_ token: Substring) -> String {
        var result = ""
        var escaped = false
        for character in token.unicodeScalars {
            if escaped {
                result.unicodeScalars.append(character == "1" ? "/" : character == "0" ? "~" : character)
                escaped = false
            } else if character == "~" {
                escaped = true
            } else {
                result.unicodeScalars.append(character)
            }
        }
        if escaped { result.append("~") }
        return result
    }

    /// The value in `claims`, or nil where it is absent. A pointer's token may be an index into an array.
    public func value(in claims: JSONValue) -> JSONValue? {
        switch self {
        case .name(let name):
            return claims[name]
        case .pointer(let tokens):
            var current = claims
            for token in tokens {
                switch current {
                case .object:
                    guard let next = current[token] else { return nil }
                    current = next
                case .array(let items):
                    guard let index = Self.index(token), index < items.count else { return nil }
                    current = items[index]
                default:
                    return nil
                }
            }
            return current
        }
    }

    /// An array index of RFC 6901 section 4: digits alone, without leading zeros.
    private static func index(_ token: String) -> Int? {
        guard token == "0" || !token.hasPrefix("0"), token.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(token)
    }
}
