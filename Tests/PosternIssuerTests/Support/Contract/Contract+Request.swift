import HTTPTypes
import PosternCore

@testable import PosternIssuer

extension Contract {
    /// Where a request that was served is one that the description does not allow: then the description is wrong.
    func request(_ served: ServedRequest, _ operation: JSONValue) -> [String] {
        self.authorization(served, operation) + self.query(served, operation) + self.body(served, operation)
    }

    private func authorization(_ served: ServedRequest, _ operation: JSONValue) -> [String] {
        guard case .array(let ways) = operation["security"] else { return ["security is not declared"] }
        let isOpen = ways.isEmpty || ways.contains(.object([]))
        return isOpen || served.requestHeaders[.authorization] != nil ? [] : ["nobody authenticated, and it was served"]
    }

    private func query(_ served: ServedRequest, _ operation: JSONValue) -> [String] {
        var parameters: [JSONValue] = []
        if case .array(let declared) = operation["parameters"] { parameters = declared }
        let query = served.uri.drop { $0 != "?" }.dropFirst()
        return query.split(separator: "&").flatMap { pair -> [String] in
            let name = String(pair.prefix { $0 != "=" })
            let text = String(pair.drop { $0 != "=" }.dropFirst())
            guard let schema = parameters.first(where: { $0["name"]?.string == name })?["schema"] else {
                return ["the query parameter \(name) was accepted, and is not declared"]
            }
            let isNumber = schema["type"]?.string == "integer"
            let value = isNumber ? Int(text).map(JSONValue.integer) ?? .string(text) : .string(text)
            return self.validator.faults(value, schema, at: "?\(name)")
        }
    }

    private func body(_ served: ServedRequest, _ operation: JSONValue) -> [String] {
        guard let declared = operation["requestBody"] else { return [] }
        if served.requestBody.isEmpty {
            return declared["required"] == .bool(true) ? ["a request without a body was accepted"] : []
        }
        let type = served.requestHeaders[.contentType]?.prefix { $0 != ";" }.lowercased() ?? ""
        guard let schema = declared["content"]?[type]?["schema"] else {
            return ["a body of the type \(type) was accepted, and is not declared"]
        }
        guard let value = type == "application/json" ? Self.json(served.requestBody) : Self.form(served.requestBody)
        else { return ["a malformed body was accepted"] }
        return self.validator.faults(value, schema, at: "body")
    }

    private static func json(_ text: String) -> JSONValue? {
        try? JSONReader.parse(Array(text.utf8).span.bytes)
    }

    /// A form as an object of strings; what has no value counts as not there.
    private static func form(_ text: String) -> JSONValue? {
        var members: [(String, JSONValue)] = []
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = FormEncoding.decode(Array(parts[0].utf8)[...]),
                let value = FormEncoding.decode(Array((parts.count > 1 ? parts[1] : "").utf8)[...])
            else { return nil }
            if !value.isEmpty { members.append((name, .string(value))) }
        }
        return .record(members)
    }
}
