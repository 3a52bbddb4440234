import PosternCore

// What the target and the route came to.
extension Explainer {
    mutating func noteTarget(_ bytes: RawSpan) {
        var facts = ["path \(self.pathText(bytes))"]
        if self.target.isAbsolute { facts.append("of the host \(bytes.slice(self.target.authority).string())") }
        if self.target.hasEscapes { facts.append("matched percent-decoded once, forwarded as it is") }
        if self.target.hasQuery { facts.append("a query of \(self.target.query.count) bytes, passed on unchanged") }
        self.explanation.add(.target, .passed, facts)
    }

    private func pathText(_ bytes: RawSpan) -> String {
        self.target.path.isEmpty ? "/" : bytes.slice(self.target.path).string()
    }

    /// The key of `paths` that lets such a path through, where there is one.
    func hints(for refusal: Refusal) -> [String] {
        let lifting: [(Ambiguity, String)] = [
            (.encodedSlash, "encoded_slash"), (.emptySegment, "empty_segments"), (.semicolon, "semicolon"),
        ]
        guard let key = lifting.first(where: { $0.0.detail == refusal.detail })?.1 else { return [] }
        return ["\"paths: {\(key): allow}\" would let it through"]
    }

    mutating func noteRoute(_ bytes: RawSpan) {
        self.explanation.add(.route, .passed, self.routeFacts(bytes))
    }

    /// Which route matched, where it stands, what it needs, and the parameters.
    func routeFacts(_ bytes: RawSpan) -> [String] {
        guard self.route >= 0 else {
            let access = self.snapshot.configuration.defaultAccess
            return access == .deny ? [] : ["no route declares it; default: \(access.rawValue)"]
        }
        let route = self.snapshot.configuration.routes[self.route]
        var facts = ["\(route.pattern.text) (line \(route.mark.line))"]
        if route.access != .denied { facts.append("needs \(AccessText.needs(route.access))") }
        if self.head.method == .head, case .named(let methods) = route.pattern.methods, !methods.contains("HEAD") {
            facts.append("HEAD is answered by the route for GET")
        }
        for (index, name) in route.pattern.parameters.enumerated() {
            facts.append("{\(name)} is \(bytes.slice(self.captures.range(of: index)).string())")
        }
        return facts
    }

    /// What is declared close to a path that is not.
    func neighbours(_ bytes: RawSpan, _ refusal: Refusal) -> [String] {
        guard refusal.code == .routeNotDeclared else { return [] }
        var path = bytes.slice(self.target.path).array()
        guard path.count > 1 else { return [] }
        let slash = UInt8(ascii: "/")
        let hasSlash = path.last == slash
        if hasSlash { path.removeLast() } else { path.append(slash) }
        let methods = self.snapshot.gate.routes.allowedMethods(
            path.span.bytes, path: ByteRange(0, path.count), hasEscapes: self.target.hasEscapes)
        guard !methods.isEmpty else { return [] }
        let other = hasSlash ? "without the last slash" : "with a slash at the end"
        return ["the path \(other) is declared for \(methods.joined(separator: ", ")); it is another path"]
    }

    /// What the request has instead of a credential.
    func credentialHints(_ bytes: RawSpan, _ refusal: Refusal) -> [String] {
        guard refusal.code == .missingToken else { return [] }
        var hints: [String] = []
        if self.head.authorizationCount > 0 { hints.append("the Authorization header has another scheme than Bearer") }
        if bytes.slice(self.target.query).string().contains("access_token") {
            hints.append("an access_token in the query is no credential")
        }
        return hints
    }

    /// Headers of the client that speak of identity.
    func strippedFacts(_ bytes: RawSpan) -> [String] {
        let identity = self.snapshot.gate.identity
        let names = self.head.fields.filter { identity.strips(bytes, $0.name) }.map { bytes.slice($0.name).string() }
        return names.isEmpty ? [] : ["taken away from what the client sent: \(names.joined(separator: ", "))"]
    }
}
