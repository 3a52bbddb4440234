extension SchemaReader {
    /// A scalar as text of a format.
    static func text(_ scalar: ScalarText, format: TextFormat) throws(ScalarProblem) -> Field.Value {
        let text = scalar.text
        guard !text.isEmpty else { throw ScalarProblem(detail: "it is empty") }
        do throws(SyntaxProblem) {
            switch format {
            case .address: return .address(try Address.parse(text, for: .listening))
            case .url(let schemes): return .url(try Self.url(text, schemes: schemes))
            case .upstream: return try Self.upstream(text)
            case .redis: return .redis(try RedisURL(text))
            default: break
            }
        } catch {
            // What is wrong with a Redis URL is said without repeating any of it: it can be told even of a secret.
            if case .redis = format { throw ScalarProblem(wanted: "\(format.description): \(error.message)") }
            throw ScalarProblem(detail: error.message)
        }
        if let problem = format.problem(with: text) { throw problem }
        if !scalar.isReplaced, scalar.style == .plain,
            text == "true" || text == "false" || PlainScalar.isJSONNumber(text)
        {
            throw ScalarProblem(wanted: "a string", detail: "quote it: \"\(text)\"")
        }
        return .text(text)
    }

    private static func url(_ text: String, schemes: [String]) throws(SyntaxProblem) -> URLReference {
        let url = try URLReference(text)
        guard schemes.contains(url.scheme) else {
            throw SyntaxProblem("the scheme must be \(schemes.joined(separator: " or "))")
        }
        return url
    }

    private static func upstream(_ text: String) throws(SyntaxProblem) -> Field.Value {
        if text.hasPrefix("unix:") { return .address(try Address.parse(text, for: .connecting)) }
        let url = try Self.url(text, schemes: ["http", "https"])
        guard url.userinfo == nil else { throw SyntaxProblem("it cannot hold credentials") }
        guard url.rest.isEmpty || url.rest == "/" else {
            throw SyntaxProblem("it cannot hold a path: requests are forwarded with the path they came with")
        }
        return .url(url)
    }
}

extension TextFormat {
    /// What is wrong with a text of this format; nil: nothing, or it is checked where it is parsed.
    func problem(with text: String) -> ScalarProblem? {
        let bytes = text.utf8
        let isFine: Bool =
            switch self {
            case .any, .file: !bytes.contains(0)
            case .realm: bytes.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
            case .name:
                bytes.count <= 64
                    && bytes.allSatisfy { $0.isASCIIAlphanumeric || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }
            case .scope: bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
            case .claim: Self.isClaim(text)
            case .fieldName, .token: bytes.allSatisfy(\.isTokenCharacter)
            case .fieldValue: bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            case .tokenType: bytes.allSatisfy { $0.isTokenCharacter || $0 == UInt8(ascii: "/") }
            case .path: text.hasPrefix("/") && bytes.allSatisfy { (0x21...0x7E).contains($0) }
            case .cidr: TrustedProxies.Entry(text) != nil
            case .origin: Origin.isValid(text)
            case .route, .address, .url, .redis, .upstream: true
            }
        return isFine ? nil : ScalarProblem()
    }

    /// A claim's name has no control characters; a pointer's `~` is followed by 0 or 1 (RFC 6901 section 3).
    private static func isClaim(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return false }
        guard text.hasPrefix("/") else { return true }
        var afterTilde = false
        for byte in text.utf8 {
            if afterTilde, byte != UInt8(ascii: "0"), byte != UInt8(ascii: "1") { return false }
            afterTilde = byte == UInt8(ascii: "~")
        }
        return !afterTilde
    }
}
