extension ConfigurationDecoder {
    mutating func routes(
        _ root: Field, options: TargetOptions, issuers: [Configuration.Issuer]
    ) -> [Configuration.Route] {
        let names = root["issuers"]?.entries?.map(\.key) ?? []
        var result: [Configuration.Route] = []
        for entry in root["routes"]?.entries ?? [] {
            let pattern: RoutePattern
            do {
                pattern = try RoutePattern.parse(entry.key, options: options)
            } catch {
                self.reader.report(error.message, at: entry.mark, path: entry.field.path)
                continue
            }
            let access = self.access(entry.field, pattern: pattern, issuers: names)
            result.append(
                Configuration.Route(
                    pattern: pattern, access: access, timeout: entry.field["timeout"]?.duration,
                    body: entry.field["body"].flatMap { Self.bodyLimit($0) },
                    forwardToken: entry.field["forward_token"]?.boolean,
                    upstream: entry.field["upstream"].flatMap { self.upstream($0) },
                    upgrade: self.upgrades(entry.field), mark: entry.mark))
        }
        self.checkConflicts(result)
        return result
    }

    private mutating func access(_ field: Field, pattern: RoutePattern, issuers: [String]) -> Access {
        switch field.word {
        case "public": return .open
        case "deny": return .denied
        case "optional": return .optional
        case "authenticated": return .required(Requirement())
        default: break
        }
        for item in field["issuers"]?.list ?? [] {
            guard let name = item.text, !issuers.contains(name) else { continue }
            self.report(
                "no issuer has this name", at: item, suggestion: NearMiss.suggestion(for: name, among: issuers))
        }
        return .required(
            Requirement(
                scopes: field["scopes"]?.texts ?? [], anyScope: field["any_scope"]?.texts ?? [],
                roles: field["roles"]?.texts ?? [],
                claims: (field["claims"]?.entries ?? []).compactMap { self.claimRule($0, pattern: pattern) },
                issuers: field["issuers"]?.texts ?? []))
    }

    private mutating func claimRule(_ entry: Field.Entry, pattern: RoutePattern) -> ClaimRule? {
        let items = entry.field.list ?? []
        let values = items.compactMap(\.json)
        let selector = ClaimSelector(entry.key)
        guard let item = items.first(where: { $0.json?.string?.hasPrefix("{") == true }), let text = item.json?.string
        else { return ClaimRule(name: entry.key, selector: selector, expectation: .oneOf(values)) }
        guard items.count == 1 else {
            self.report("a path parameter stands alone, not in a list", at: item)
            return nil
        }
        let name = String(text.dropFirst().prefix { $0 != "}" })
        guard text == "{\(name)}" else {
            self.report("\"\(text)\" is not a path parameter: write \"{name}\"", at: item)
            return nil
        }
        let parameters = pattern.parameters
        guard parameters.contains(name) else {
            self.report(
                "the path has no parameter {\(name)}", at: item,
                suggestion: NearMiss.suggestion(for: name, among: parameters).map { "{\($0)}" })
            return nil
        }
        return ClaimRule(name: entry.key, selector: selector, expectation: .pathParameter(name))
    }

    /// Patterns that are the same but for parameter names. All of them, each with the first of its kind.
    private mutating func checkConflicts(_ routes: [Configuration.Route]) {
        var first: [ConflictKey: Configuration.Route] = [:]
        for route in routes {
            let methods = if case .named(let names) = route.pattern.methods { names } else { ["ANY"] }
            let segments = route.pattern.segments.map { ConflictKey.Segment($0) }
            for method in methods {
                let key = ConflictKey(method: method, segments: segments)
                guard let other = first[key] else {
                    first[key] = route
                    continue
                }
                let twice = other.mark == route.mark
                self.reader.report(
                    twice
                        ? "names \(method) twice"
                        : "matches the same requests as \"\(other.pattern.text)\" (line \(other.mark.line)): "
                            + "remove one",
                    at: route.mark, path: "routes.\(route.pattern.text)")
                break
            }
        }
    }

    /// Whether somebody needs a token where nobody issues one.
    mutating func checkVerification(root: Field, routes: [Configuration.Route]) {
        guard root["issuers"] == nil, !self.reader.hasProblem(under: "issuers") else { return }
        let needing = routes.first { route in
            switch route.access {
            case .optional, .required: true
            case .open, .denied: false
            }
        }
        if let route = needing {
            self.reader.report(
                "needs a token, but no issuers are configured", at: route.mark,
                path: "routes.\(route.pattern.text)")
        } else if let access = root["default"], access.word == "authenticated" {
            self.report("needs a token, but no issuers are configured", at: access)
        }
    }
}

/// A pattern without the names of its parameters, for one method.
private struct ConflictKey: Hashable {
    enum Segment: Hashable {
        case literal([UInt8])
        case parameter
        case rest

        init(_ segment: RoutePattern.Segment) {
            switch segment {
            case .literal(let bytes): self = .literal(bytes)
            case .parameter: self = .parameter
            case .rest: self = .rest
            }
        }
    }

    var method: String
    var segments: [Segment]
}
