import HTTPTypes
import NIOCore
import PosternCore

@testable import PosternIssuer

/// What was asked and what came back.
struct ServedRequest: Sendable {
    var method: HTTPRequest.Method
    /// With its query.
    var uri: String
    var requestHeaders: HTTPFields = [:]
    var requestBody = ""
    var status: Int
    var headers: HTTPFields = [:]
    var body = ""
}

/// The issuer's own description, which every answer in every test is held against.
struct Contract: Sendable {
    static let issuer = Contract(APIDocument.json(issuer: TestIssuer.url))

    let document: JSONValue
    let validator: SchemaValidator

    init(_ document: JSONValue) {
        self.document = document
        self.validator = SchemaValidator(document: document)
    }

    /// Where a request that was served breaks the contract, a sentence each.
    func faults(_ served: ServedRequest) -> [String] {
        let path = String(served.uri.prefix { $0 != "?" })
        guard let (_, item) = self.item(path) else {
            return self.standard(served, status: 404, code: "not_found")
        }
        let isHead = served.method == .head
        let name = isHead ? "get" : served.method.rawValue.lowercased()
        guard let operation = item[name] else {
            let allow = served.headers[.allow]
            return self.standard(served, status: 405, code: "method_not_allowed")
                + (allow == Self.allow(item) ? [] : ["Allow is \(allow ?? "missing")"])
        }
        guard let response = operation["responses"]?[String(served.status)] else {
            return ["the status \(served.status) is not declared"]
        }
        return self.headers(served, response) + (isHead ? [] : self.content(served, response))
            + ((200..<300).contains(served.status) ? self.request(served, operation) : [])
    }

    /// The path item: the one without parameters before one with.
    private func item(_ path: String) -> (String, JSONValue)? {
        guard case .object(let items) = self.document["paths"] else { return nil }
        if let exact = items.first(where: { $0.name == path }) { return (exact.name, exact.value) }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        let found = items.first { item in
            let pattern = item.name.split(separator: "/", omittingEmptySubsequences: false)
            return pattern.count == segments.count
                && zip(pattern, segments).allSatisfy { $0 == $1 || ($0.hasPrefix("{") && !$1.isEmpty) }
        }
        return found.map { ($0.name, $0.value) }
    }

    private static func allow(_ item: JSONValue) -> String {
        guard case .object(let operations) = item else { return "" }
        let methods = operations.map { $0.name.uppercased() }
        return (methods.contains("GET") ? methods + ["HEAD"] : methods).sorted().joined(separator: ", ")
    }

    /// What is declared for no operation, because every path answers so.
    private func standard(_ served: ServedRequest, status: Int, code: String) -> [String] {
        guard served.status == status else { return ["the status is \(served.status), not \(status)"] }
        guard served.headers[.contentType] == "application/problem+json" else { return ["it is no problem document"] }
        if served.method == .head { return [] }
        return self.document(
            served.body, Schema.reference(.problem).narrowed([.required("code", .choice([code]))]).json)
    }

    private func headers(_ served: ServedRequest, _ response: JSONValue) -> [String] {
        guard case .object(let declared) = response["headers"] else { return [] }
        return declared.flatMap { header -> [String] in
            guard let name = HTTPField.Name(header.name), let value = served.headers[name] else {
                return header.value["required"] == .bool(true) ? ["there is no \(header.name)"] : []
            }
            return self.validator.faults(.string(value), header.value["schema"] ?? .bool(false), at: header.name)
        }
    }

    private func content(_ served: ServedRequest, _ response: JSONValue) -> [String] {
        guard let content = response["content"] else {
            return served.body.isEmpty ? [] : ["there is a body, and none is declared"]
        }
        guard let type = served.headers[.contentType], let schema = content[type]?["schema"] else {
            return ["the content type \(served.headers[.contentType] ?? "none") is not declared"]
        }
        return self.document(served.body, schema)
    }

    private func document(_ text: String, _ schema: JSONValue) -> [String] {
        guard let value = try? JSONReader.parse(Array(text.utf8).span.bytes) else { return ["the body is no JSON"] }
        return self.validator.faults(value, schema)
    }
}
