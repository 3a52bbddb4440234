/// Which strings a text may be.
enum TextFormat: Sendable {
    /// Anything but nothing.
    case any
    /// Printable ASCII without `"` and `\`: goes into a quoted string of a header as it is.
    case realm
    /// A name for logs and labels.
    case name
    /// RFC 6749 section 3.3.
    case scope
    /// A claim's name, or a JSON pointer with a leading `/`.
    case claim
    /// RFC 9110 section 5.1.
    case fieldName
    /// A field value (RFC 9110 section 5.5).
    case fieldValue
    /// A method or a protocol name: a token of RFC 9110 section 5.6.2.
    case token
    /// A media type of a token's `typ`.
    case tokenType
    /// A route's key: `METHOD /path`.
    case route
    /// A file's path.
    case file
    /// A path of a request: begins with `/`.
    case path
    /// `host:port` or `unix:/path`.
    case address
    /// An absolute URL with one of these schemes.
    case url([String])
    /// A Redis URL: `redis://`, `redis+sentinel://`, `redis+cluster://`, or `rediss` for TLS.
    case redis
    /// `http://`, `https://` or `unix:/path`, without a path of a request.
    case upstream
    /// A network (`10.0.0.0/8`), or `unix` for whoever connects to a unix socket.
    case cidr
    /// An origin of a browser (`https://app.example`), `null` (quoted), or `*`.
    case origin

    /// What is wanted, for messages: "… must be …".
    var description: String {
        switch self {
        case .any: "a string"
        case .realm: "printable ASCII without \" and \\"
        case .name: "1 to 64 letters, digits, \".\", \"_\" or \"-\""
        case .scope: "a scope: printable ASCII without spaces, \" and \\"
        case .claim: "a claim's name, or a JSON pointer that begins with \"/\""
        case .fieldName: "a header name: letters, digits and \"-\""
        case .fieldValue: "a header value: visible characters, without line breaks"
        case .token: "a word of letters, digits and \"-\""
        case .tokenType: "a token type such as \"at+jwt\""
        case .route: "\"METHOD /path\""
        case .file: "the path of a file"
        case .path: "a path that begins with \"/\""
        case .address: "an address such as \"127.0.0.1:8080\", \"[::]:8080\" or \"unix:/run/postern.sock\""
        case .url(let schemes): "a URL such as \"\(schemes.first ?? "http")://host/\""
        case .redis: "a URL such as \"redis://127.0.0.1:6379/0\""
        case .upstream: "a URL such as \"http://127.0.0.1:8001\", or \"unix:/run/service.sock\""
        case .cidr: "a network such as \"10.0.0.0/8\" or \"fd00::/8\", or \"unix\""
        case .origin: "an origin such as \"https://app.example\""
        }
    }

    /// A regular expression for editors (ECMA 262), looser than what is checked.
    var pattern: String? {
        switch self {
        case .any, .file: nil
        case .realm: #"^[ !#-\[\]-~]+$"#
        case .name: "^[A-Za-z0-9._-]{1,64}$"
        case .scope: #"^[!#-\[\]-~]+$"#
        case .claim: "^.+$"
        case .fieldName, .token: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
        case .fieldValue: #"^[^\u0000-\u001F\u007F]+$"#
        case .tokenType: "^[A-Za-z0-9!#$&^_.+/-]+$"
        case .route: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+ +/.*$"
        case .path: "^/"
        case .address: #"^(unix:/.+|.+:[0-9]{1,5})$"#
        case .url(let schemes): "^(" + schemes.joined(separator: "|") + ")://.+$"
        case .redis: #"^rediss?(\+sentinel|\+cluster)?://.+$"#
        case .upstream: "^(https?://.+|unix:/.+)$"
        case .cidr: #"^(unix|[0-9a-fA-F:.]+/[0-9]{1,3})$"#
        case .origin: #"^(\*|null|https?://[^/]+)$"#
        }
    }
}
