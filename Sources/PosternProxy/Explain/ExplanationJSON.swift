import PosternCore

// An explanation for programs.
extension Explanation {
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "method", value: .string(self.method)),
            .init(name: "path", value: .string(self.path)),
            .init(name: "route", value: self.route.map { .string($0) } ?? .null),
            .init(name: "allowed", value: .bool(self.isAllowed)),
        ]
        if let refusal {
            members += [
                .init(name: "status", value: JSONValue(refusal.code.status)),
                .init(name: "code", value: .string(refusal.code.rawValue)),
                .init(name: "detail", value: .string(refusal.detail)),
                .init(name: "answer_headers", value: Self.fields(self.answerHeaders)),
            ]
            if let problem { members.append(.init(name: "problem", value: problem)) }
        }
        if let answered {
            members += [
                .init(name: "status", value: JSONValue(answered.status)),
                .init(name: "answer_headers", value: Self.fields(answered.headers)),
            ]
        }
        members.append(.init(name: "steps", value: .array(self.steps.map { Self.json($0) })))
        if let forwarded {
            members.append(
                .init(
                    name: "forwarded",
                    value: .object([
                        .init(name: "upstream", value: .string(forwarded.upstream)),
                        .init(name: "request_line", value: .string(forwarded.requestLine)),
                        .init(name: "headers", value: Self.fields(forwarded.headers)),
                    ])))
        }
        return .object(members)
    }

    private static func json(_ step: Step) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "stage", value: .string(step.stage.rawValue)),
            .init(name: "outcome", value: .string(step.outcome.rawValue)),
            .init(name: "facts", value: .array(step.facts.map { .string($0) })),
        ]
        if !step.conditions.isEmpty {
            members.append(.init(name: "conditions", value: .array(step.conditions.map { Self.json($0) })))
        }
        return .object(members)
    }

    private static func json(_ condition: ConditionOutcome) -> JSONValue {
        .object([
            .init(name: "kind", value: .string(condition.kind.name)),
            .init(name: "text", value: .string(condition.text)),
            .init(name: "held", value: .bool(condition.held)),
            .init(name: "by_admin", value: .bool(condition.byAdmin)),
        ])
    }

    /// Header lines as pairs: a list, because a name may come more than once.
    private static func fields(_ lines: [String]) -> JSONValue {
        .array(
            lines.map { line in
                let name = line.prefix { $0 != ":" }
                let value = line.dropFirst(name.count + 1).drop { $0 == " " }
                return .object([
                    .init(name: "name", value: .string(String(name))),
                    .init(name: "value", value: .string(String(value))),
                ])
            })
    }
}

extension ConditionOutcome.Kind {
    fileprivate var name: String {
        switch self {
        case .scope: "scope"
        case .anyScope: "any_scope"
        case .role: "role"
        case .claim: "claim"
        case .issuer: "issuer"
        }
    }
}
