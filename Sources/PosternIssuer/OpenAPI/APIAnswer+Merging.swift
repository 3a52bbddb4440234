import PosternCore

extension [APIAnswer] {
    /// The responses object of an operation: one response for each status.
    var responses: JSONValue {
        var statuses: [Int] = []
        for answer in self where !statuses.contains(answer.status) { statuses.append(answer.status) }
        return .record(
            statuses.sorted().map { status in
                (String(status), Self.response(self.filter { $0.status == status }))
            })
    }

    private static func response(_ answers: [APIAnswer]) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("description", .string(answers.map(\.description).joined(separator: " ")))
        ]
        let headers = Self.headers(answers)
        if !headers.isEmpty { members.append(("headers", .record(headers.map { ($0.name, $0.json) }))) }
        let content = Self.content(answers)
        if !content.isEmpty {
            members.append(
                ("content", .record(content.map { ($0.type, .record([("schema", $0.schema.json)])) })))
        }
        return .record(members)
    }

    /// A header is required where every answer requires it.
    private static func headers(_ answers: [APIAnswer]) -> [APIHeader] {
        var found: [APIHeader] = []
        for header in answers.flatMap(\.headers) where !found.contains(where: { $0.name == header.name }) {
            let everywhere = answers.allSatisfy { answer in
                answer.headers.contains { $0.name == header.name && $0.isRequired }
            }
            let schemas = answers.flatMap(\.headers).filter { $0.name == header.name }.map(\.schema)
            var merged = everywhere ? header : header.sometimes
            let distinct = schemas.reduce(into: [Schema]()) { all, schema in
                if !all.contains(where: { $0.json == schema.json }) { all.append(schema) }
            }
            if distinct.count > 1 { merged.schema = .any(of: distinct) }
            found.append(merged)
        }
        return found
    }

    private static func content(_ answers: [APIAnswer]) -> [APIContent] {
        answers.compactMap(\.content).reduce(into: []) { all, next in
            for (index, content) in all.enumerated() {
                guard let joined = content.joined(with: next) else { continue }
                all[index] = joined
                return
            }
            all.append(next)
        }
    }
}
