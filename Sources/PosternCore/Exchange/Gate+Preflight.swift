// Preflights, where `cors` says more than `deny`: decided once the target is checked, in place of steps 3 to 6.
extension Gate {
    /// Decides about a preflight. Allocates: not the path of other requests.
    ///
    /// - Parameters:
    ///   - route: receives the route that it is counted under.
    ///   - captures: receives that route's parameters.
    func admit(
        _ preflight: Preflight, _ crossOrigin: CrossOrigin, _ bytes: RawSpan, _ head: RequestHead,
        _ target: CheckedTarget, route: inout Int, captures: inout Captures
    ) -> Admission {
        let path = PreflightPath(gate: self, target: target, preflight: preflight, head: head)
        let asked = path.match(bytes, asOptions: false, &captures)
        guard let rules = crossOrigin.rules else {
            return self.forward(path, asked, crossOrigin, bytes, route: &route, captures: &captures)
        }
        if case .route(let index) = asked { route = index }
        let origin = crossOrigin.origin(bytes, head)
        guard origin != CrossOrigin.noOrigin else { return .answer(.silent) }
        return .answer(
            PreflightAnswer(
                rules, origin: rules.origins[Int(origin)], methods: path.methods(bytes, rules, asked),
                asked: bytes.slice(preflight.headers).string()))
    }

    /// `preflight: forward`. A preflight goes where the request that it asks for would go, whatever that route asks of a
    /// caller, and never where a `deny` stands: on the route of that request, on one that names OPTIONS for this path, or
    /// as the `default` of a path that no route declares.
    private func forward(
        _ path: PreflightPath, _ asked: RouteMatch, _ crossOrigin: CrossOrigin, _ bytes: RawSpan, route: inout Int,
        captures: inout Captures
    ) -> Admission {
        let own = path.match(bytes, asOptions: true, &captures)
        switch (asked, own) {
        case (.route(let index), .route(let other)) where crossOrigin.namesOptions(other):
            route = index
            guard self.policy.permitPreflight(route: index) != nil else { return .refuse(Self.closed(index)) }
            route = other
        case (.route(let index), _):
            route = index
            _ = path.match(bytes, asOptions: false, &captures)
        case (_, .route(let index)):
            route = index
        case (.undeclared, _), (_, .undeclared):
            route = PolicyCatalogue.undeclared
        case (.methodNotAllowed, .methodNotAllowed):
            return .refuse(self.methodNotAllowed(bytes, path.target))
        }
        guard let permit = self.policy.permitPreflight(route: route) else { return .refuse(Self.closed(route)) }
        return .permit(permit)
    }
}

/// A preflight and the path it is about.
private struct PreflightPath {
    let gate: Gate
    let target: CheckedTarget
    let preflight: Preflight
    let head: RequestHead

    /// The route of the request that is asked for, or of OPTIONS.
    func match(_ bytes: RawSpan, asOptions: Bool, _ captures: inout Captures) -> RouteMatch {
        let token = asOptions ? self.head.methodToken : self.preflight.method
        return self.gate.routes.match(
            bytes, path: self.target.path, hasEscapes: self.target.hasEscapes,
            method: RequestHead.method(bytes.slice(token)), methodToken: token, captures: &captures)
    }

    /// The methods that the answer allows. A preflight is about the origin: on a path that is closed or not declared the
    /// method is allowed, so that the page can read the refusal of the request itself, which says why.
    func methods(_ bytes: RawSpan, _ rules: CrossOriginRules, _ asked: RouteMatch) -> [String] {
        guard rules.methods.isEmpty else { return rules.methods }
        var methods = self.gate.routes.allowedMethods(bytes, path: self.target.path, hasEscapes: self.target.hasEscapes)
        let method = bytes.slice(self.preflight.method).string()
        // ANY takes methods that have no name there.
        if asked != .methodNotAllowed, !methods.contains(method) { methods.append(method) }
        // No page can send these (Fetch, forbidden methods).
        return methods.filter { $0 != Method.trace.name && $0 != Method.connect.name }
    }
}
