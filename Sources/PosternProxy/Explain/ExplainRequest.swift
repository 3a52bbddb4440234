import PosternCore

/// A request as `explain` was asked about it: the bytes of its head, and who sends it.
public struct ExplainRequest: Sendable {
    /// How the caller is known.
    enum Caller: Equatable, Sendable {
        /// By what the headers hold.
        case headers
        /// By a token that was given.
        case token
        /// By claims that are believed: there is no signature to check.
        case claims(JSONValue)
    }

    /// Why the arguments make no request.
    public struct Problem: Error, Equatable, Sendable {
        public var message: String
    }

    /// What stands for a token where claims are given. The credential stage needs one.
    private static let placeholder = "claims"

    let method: String
    /// As given, query and all: not to be shown.
    let target: String
    /// The head, complete.
    let bytes: [UInt8]
    let caller: Caller
    /// Texts that no output may hold.
    let secrets: [String]

    /// - Parameters:
    ///   - target: what stands in the request line: a path, perhaps with a query, or a whole URL.
    ///   - headers: `Name: value` each.
    public init(
        method: String, target: String, headers: [String] = [], token: String? = nil, claims: String? = nil
    ) throws(Problem) {
        guard token == nil || claims == nil else { throw Problem(message: "give --token or --claims, not both") }
        try Self.checkLine("METHOD", method)
        try Self.checkLine("PATH", target)
        var lines = ["\(method) \(target) HTTP/1.1"]
        var names: [String] = []
        for header in headers {
            names.append(try Self.name(of: header))
            lines.append(header)
        }
        if !names.contains("host") { lines.insert("Host: \(Self.host(of: target))", at: 1) }
        var secrets: [String] = []
        for (name, header) in zip(names, headers) where name == "authorization" {
            // What follows the scheme.
            secrets += header.dropFirst(name.count + 1).split(separator: " ").dropFirst().map(String.init)
        }
        if let token {
            try Self.checkToken(token)
            lines.append("Authorization: Bearer \(token)")
            secrets.append(token)
            self.caller = .token
        } else if let claims {
            lines.append("Authorization: Bearer \(Self.placeholder)")
            self.caller = .claims(try Self.claims(claims))
        } else {
            self.caller = .headers
        }
        self.method = method
        self.target = target
        self.bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        self.secrets = secrets
    }

    // MARK: - Arguments

    private static func checkLine(_ what: String, _ text: String) throws(Problem) {
        guard !text.isEmpty else { throw Problem(message: "\(what) is empty") }
        guard !text.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A }) else {
            throw Problem(message: "\(what) has a line break: it would be more than one line of a request")
        }
    }

    /// The name in lower case.
    private static func name(of header: String) throws(Problem) -> String {
        try Self.checkLine("--header", header)
        guard let colon = header.firstIndex(of: ":"), colon > header.startIndex else {
            throw Problem(message: "--header wants 'Name: value'")
        }
        return header[..<colon].lowercased()
    }

    private static func checkToken(_ token: String) throws(Problem) {
        try Self.checkLine("--token", token)
        if token.lowercased().hasPrefix("bearer ") {
            throw Problem(message: "--token wants the token alone, without the word Bearer")
        }
    }

    private static func claims(_ text: String) throws(Problem) -> JSONValue {
        let value: JSONValue
        do throws(JSONProblem) {
            value = try JSONReader.parse(Array(text.utf8).span.bytes)
        } catch {
            throw Problem(message: "--claims is not JSON: \(error)")
        }
        guard case .object = value else { throw Problem(message: "--claims wants a JSON object: '{\"sub\": \"u1\"}'") }
        return value
    }

    /// The authority of a whole URL, which Host has to agree with.
    private static func host(of target: String) -> String {
        guard !target.hasPrefix("/"), let colon = target.firstIndex(of: ":"), target[colon...].hasPrefix("://") else {
            return "localhost"
        }
        let authority = target[colon...].dropFirst(3).prefix { !"/?#".contains($0) }
        return authority.isEmpty ? "localhost" : String(authority)
    }
}
