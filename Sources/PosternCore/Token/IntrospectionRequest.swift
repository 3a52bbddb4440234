/// What is sent to an issuer to ask about tokens: the same for all of them, but for the token. Holds secrets, and shows
/// none.
public struct IntrospectionRequest: Sendable {
    /// How Postern shows the issuer that it may ask.
    public enum Credentials: Equatable, Sendable {
        /// `Authorization: Bearer` (RFC 6750 section 2.1).
        case bearer([UInt8])
        /// `Authorization: Basic` with both parts form-encoded first (RFC 6749 section 2.3.1).
        case basic(id: String, secret: [UInt8])
        /// `client_id` and `client_secret` in the form: for RFC 7662 alone.
        case form(id: String, secret: [UInt8])
    }

    /// The value of `Content-Type`.
    public let contentType: String
    /// The value of `Authorization`; nil: the body has the credentials.
    public let authorization: String?
    /// The body before and behind the token.
    private let prefix: [UInt8]
    private let suffix: [UInt8]
    private let isForm: Bool

    /// Nil for credentials that cannot be written down: a bearer token that is not one to 4096 visible ASCII characters,
    /// or those for a form where there is none.
    public init?(dialect: IntrospectionDialect, credentials: Credentials) {
        switch credentials {
        case .bearer(let token):
            guard (1...4096).contains(token.count), token.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
            self.authorization = "Bearer " + String(decoding: token, as: UTF8.self)
        case .basic(let id, let secret):
            let pair = FormEncoding.encode(Array(id.utf8)) + [UInt8(ascii: ":")] + FormEncoding.encode(secret)
            self.authorization = "Basic " + Self.base64(pair)
        case .form:
            self.authorization = nil
        }
        switch dialect {
        case .rfc7662:
            self.contentType = "application/x-www-form-urlencoded"
            self.isForm = true
            self.prefix = Array("token=".utf8)
            self.suffix = Array("&token_type_hint=access_token".utf8) + Self.formMembers(credentials)
        case .hecate:
            if case .form = credentials { return nil }
            self.contentType = "application/json"
            self.isForm = false
            self.prefix = Array(#"{"token":"#.utf8)
            self.suffix = [UInt8(ascii: "}")]
        }
    }

    /// The body that asks about one token. In JSON invalid UTF-8 would be repaired; a token that came as a credential is
    /// ASCII.
    public func body(token: RawSpan) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(self.prefix.count + token.byteCount + self.suffix.count + 16)
        body += self.prefix
        if self.isForm {
            body += FormEncoding.encode(token.array())
        } else {
            body.append(json: token.string())
        }
        body += self.suffix
        return body
    }

    private static func formMembers(_ credentials: Credentials) -> [UInt8] {
        guard case .form(let id, let secret) = credentials else { return [] }
        return Array("&client_id=".utf8) + FormEncoding.encode(Array(id.utf8)) + Array("&client_secret=".utf8)
            + FormEncoding.encode(secret)
    }

    /// Plain base64 with padding (RFC 4648 section 4).
    private static func base64(_ bytes: [UInt8]) -> String {
        let text = Base64URL.encode(bytes).utf8.map { character in
            switch character {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: character
            }
        }
        return String(decoding: text, as: UTF8.self) + String(repeating: "=", count: (3 - bytes.count % 3) % 3)
    }
}

extension IntrospectionRequest: CustomStringConvertible, CustomReflectable {
    public var description: String { "[introspection request]" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension IntrospectionRequest.Credentials: CustomStringConvertible, CustomReflectable {
    /// The kind alone.
    public var description: String {
        switch self {
        case .bearer: "bearer"
        case .basic: "basic"
        case .form: "form"
        }
    }

    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// `application/x-www-form-urlencoded` (RFC 6749 appendix B).
enum FormEncoding {
    /// Letters, digits and `-._~*` stay, a space becomes `+`, everything else is percent-encoded: every decoder reads
    /// that, and credentials of plain characters are the same for servers that forget to decode.
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "*"):
                text.append(byte)
            case UInt8(ascii: " "): text.append(UInt8(ascii: "+"))
            default: text.appendEscape(of: byte)
            }
        }
        return text
    }
}
