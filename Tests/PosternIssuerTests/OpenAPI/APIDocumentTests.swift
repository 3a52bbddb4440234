import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct APIDocumentTests {
    private static let document = APIDocument.json(issuer: TestIssuer.url)

    /// "METHOD path" for everything that the document describes.
    private static var described: Set<String> {
        Set(APIDocument.operations.map { "\($0.method.rawValue) \($0.path)" })
    }

    /// Every schema of the document: those with names and those inside operations.
    private static func schemas(_ value: JSONValue) -> [JSONValue] {
        switch value {
        case .array(let items): items.flatMap(Self.schemas)
        case .object(let members):
            members.flatMap { member -> [JSONValue] in
                switch (member.name, member.value) {
                case ("schema", let schema): [schema]
                case ("schemas", .object(let named)): named.map(\.value)
                default: Self.schemas(member.value)
                }
            }
        default: []
        }
    }

    @Test("Every route is described, and everything that is described is a route")
    func routes() async throws {
        let registered = try await TestIssuer().issuer.routes().methods.flatMap { path, methods in
            methods.map { "\($0.rawValue) \(path)" }
        }
        #expect(Set(registered).count == registered.count, "a route is registered twice")
        #expect(Set(registered).subtracting(Self.described).sorted() == [], "not described")
        #expect(Self.described.subtracting(registered).sorted() == [], "described, but no route")
        #expect(Self.described.count == APIDocument.operations.count, "an operation is described twice")
    }

    @Test("Operations have identifiers of their own, and name the parameters of their paths")
    func operations() {
        let operations = APIDocument.operations
        #expect(Set(operations.map(\.id)).count == operations.count)
        for operation in operations {
            let segments = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }
            let inPath = operation.parameters.filter { $0.place == .path }.map { "{\($0.name)}" }
            #expect(segments.map(String.init) == inPath, "\(operation.id)")
            #expect(operation.answers.contains { $0.status < 300 }, "\(operation.id)")
            #expect(
                (operation.body == nil) == !["POST", "PATCH"].contains(operation.method.rawValue), "\(operation.id)")
        }
    }

    @Test("Whoever must authenticate is told 401, and an administrator's endpoint also 403")
    func security() {
        for operation in APIDocument.operations where !operation.security.isEmpty {
            let statuses = Set(operation.answers.map(\.status))
            #expect(statuses.contains(401), "\(operation.id)")
            if operation.path.hasPrefix("/api/v1/admin/") { #expect(statuses.contains(403), "\(operation.id)") }
        }
    }

    @Test("Objects of answers have no members but those that are named")
    func closed() {
        for operation in APIDocument.operations where operation.id != "openapi" {
            for case .document(let schema) in operation.answers.compactMap(\.content?.kind) {
                let open = Self.openObjects(schema.json, Contract.issuer.validator)
                #expect(open.isEmpty, "\(operation.id): \(open)")
            }
        }
    }

    /// Objects that may have other members, but a client's keys: there RFC 7517 section 4 allows any.
    private static func openObjects(_ schema: JSONValue, _ validator: SchemaValidator) -> [String] {
        guard case .object(let members) = schema else { return [] }
        if schema["$ref"] == .string("#/components/schemas/ClientKeySet") { return [] }
        if let reference = schema["$ref"] { return Self.openObjects(validator.resolve(reference), validator) }
        let isOpen = schema["type"] == .string("object") && schema["additionalProperties"] != .bool(false)
        return (isOpen ? [schema.serialized()] : [])
            + members.flatMap { member -> [String] in
                switch (member.name, member.value) {
                case ("properties", .object(let properties)):
                    properties.flatMap { Self.openObjects($0.value, validator) }
                case ("oneOf", .array(let parts)), ("anyOf", .array(let parts)):
                    parts.flatMap { Self.openObjects($0, validator) }
                case ("items", let items): Self.openObjects(items, validator)
                default: []
                }
            }
    }

    @Test("Every restriction is one that the tests' validator checks, and every reference leads somewhere")
    func restrictions() {
        let validator = Contract.issuer.validator
        let schemas = Self.schemas(Self.document)
        #expect(schemas.count > 100)
        for schema in schemas {
            let problems = Self.problems(of: schema, validator)
            #expect(problems.isEmpty, "\(schema.serialized())")
        }
    }

    private static func problems(of schema: JSONValue, _ validator: SchemaValidator) -> [String] {
        guard case .object(let members) = schema else { return [] }
        return members.flatMap { member -> [String] in
            switch (member.name, member.value) {
            case ("$ref", let reference):
                return validator.resolve(reference) == .bool(false) ? ["\(reference) leads nowhere"] : []
            case ("properties", .object(let properties)):
                return properties.flatMap { Self.problems(of: $0.value, validator) }
            case ("oneOf", .array(let parts)), ("anyOf", .array(let parts)):
                return parts.flatMap { Self.problems(of: $0, validator) }
            case ("items", let inner), ("not", let inner), ("additionalProperties", let inner):
                return Self.problems(of: inner, validator)
            case ("pattern", .string(let expression)):
                return (try? Regex(expression)) == nil ? ["\(expression) is no expression"] : []
            default:
                // What matters here is that the keyword is known, not whether null fulfils it.
                return validator.faults(.null, .record([(member.name, member.value)])).filter { $0.contains("unknown") }
            }
        }
    }

    @Test("Every schema with a name is used")
    func used() {
        let text = Self.document.serialized()
        for component in Component.allCases {
            #expect(text.contains("\"#/components/schemas/\(component.rawValue)\""), "\(component)")
        }
    }
}
