/// A way to prove who asks (Security Scheme Object), as a proxy of bearer tokens sees it.
enum SecurityScheme: Equatable {
    /// A bearer token; the names of a requirement are scopes.
    case token
    /// A bearer token by the words of HTTP, for which OpenAPI knows roles and no scopes.
    case bearer
    /// An API key in the Authorization header: how documents without bearer schemes say bearer token.
    case authorization
    /// Something else, in words.
    case unchecked(String)
}

extension DescriptionReader {
    /// The most alternatives of one operation, and names in one of them.
    private static let maximumAlternatives = 64
    private static let maximumNames = 256

    mutating func readSchemes() {
        let path = self.version == .two ? "securityDefinitions" : "components.securitySchemes"
        let node = self.version == .two ? self.root[path] : self.root["components"]?["securitySchemes"]
        guard let node, !node.isNull else { return }
        guard case .mapping(let pairs, _) = node else {
            self.report("must be a mapping", at: node.mark, path: path)
            return
        }
        for pair in pairs {
            guard let name = pair.key.text else { continue }
            let path = "\(path).\(name)"
            guard let members = self.members(of: pair.value, path: path) else { continue }
            var texts: [String: String] = [:]
            for member in members { texts[member.key] = member.value.text }
            guard let type = texts["type"] else {
                self.report("has no type", at: pair.value.mark, path: path)
                continue
            }
            self.schemes[name] = Self.scheme(type, name: name, texts)
        }
    }

    private static func scheme(_ type: String, name: String, _ texts: [String: String]) -> SecurityScheme {
        switch type {
        case "oauth2", "openIdConnect": return .token
        case "http":
            let scheme = texts["scheme"]?.lowercased() ?? ""
            return scheme == "bearer" ? .bearer : .unchecked("HTTP \(Words.quoted(scheme)) (\(Words.quoted(name)))")
        case "apiKey":
            let place = texts["in"] ?? "header"
            let field = texts["name"] ?? ""
            if place == "header", field.lowercased() == "authorization" { return .authorization }
            return .unchecked("the API key \(Words.quoted(name)) (\(place) \(Words.quoted(field)))")
        case "mutualTLS": return .unchecked("a client certificate (\(Words.quoted(name)))")
        default: return .unchecked("\(Words.quoted(name)) of type \(Words.quoted(type))")
        }
    }

    /// What a `security` key says; nil where it is not there, or is wrong.
    mutating func need(_ node: ConfigurationNode?, path: String) -> SecurityNeed? {
        guard let node, !node.isNull else { return nil }
        guard case .sequence(let items, let mark) = node else {
            self.report("must be a list of mappings, such as [{\"name\": [\"scope\"]}]", at: node.mark, path: path)
            return nil
        }
        guard items.count <= Self.maximumAlternatives else {
            self.report("has more than \(Self.maximumAlternatives) alternatives", at: mark, path: path)
            return nil
        }
        var alternatives: [SecurityNeed.Alternative] = []
        for (index, item) in items.enumerated() {
            if let alternative = self.alternative(item, path: "\(path)[\(index)]") { alternatives.append(alternative) }
        }
        return .oneOf(alternatives)
    }

    private mutating func alternative(_ node: ConfigurationNode, path: String) -> SecurityNeed.Alternative? {
        guard case .mapping(let pairs, _) = node else {
            self.report("must be a mapping, such as {\"name\": [\"scope\"]}", at: node.mark, path: path)
            return nil
        }
        var result = SecurityNeed.Alternative()
        for pair in pairs {
            guard let name = pair.key.text else { continue }
            let path = "\(path).\(name)"
            guard let scheme = self.schemes[name] else {
                self.report(
                    "no security scheme has this name", at: pair.key.mark, path: path,
                    suggestion: NearMiss.suggestion(for: name, among: self.schemes.keys.sorted()))
                continue
            }
            guard let names = self.names(pair.value, path: path) else { continue }
            switch scheme {
            case .unchecked(let words): result.unchecked.append(words)
            case .token: result.schemes.append(name)
            case .bearer:
                result.schemes.append(name)
                if !names.isEmpty {
                    result.notes.append(
                        "what the document asks of the http scheme \(Words.quoted(name)) is taken for scopes")
                }
            case .authorization:
                result.schemes.append(name)
                result.notes.append("the API key \(Words.quoted(name)) in Authorization is taken for a bearer token")
            }
            if case .unchecked = scheme { continue }
            result.scopes += names
        }
        result.schemes.sort()
        result.scopes = result.scopes.unique
        return result
    }

    private mutating func names(_ node: ConfigurationNode, path: String) -> [String]? {
        guard case .sequence(let items, let mark) = node, items.count <= Self.maximumNames else {
            self.report(
                "must be a list of at most \(Self.maximumNames) names, perhaps an empty one", at: node.mark, path: path)
            return nil
        }
        var names: [String] = []
        for item in items {
            guard case .scalar(let text, _, _) = item else {
                self.report("must be a list of strings", at: mark, path: path)
                return nil
            }
            names.append(text)
        }
        return names
    }
}
