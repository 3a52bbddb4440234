import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PosternCore
import PosternCrypto

@testable import PosternIssuer

extension PasswordHasher {
    /// Hashes that take no time.
    static var cheap: PasswordHasher { PasswordHasher(cost: Scrypt.Cost(n: 16, r: 8, p: 1)) }
}

extension TestIssuer {
    static let password = "correct horse battery"
    static let adminSecret = "admin-secret-0123456789-0123456789"
    static let serviceKey = "hsk_" + String(repeating: "k", count: 43)

    /// Adds a user whose e-mail address is verified, with `password`.
    ///
    /// - Parameter more: Further members of the request, in JSON: `"is_admin":true`.
    @discardableResult
    func addUser(_ name: String = "ann", _ more: String = "") async throws -> User {
        let members = more.isEmpty ? "" : ",\(more)"
        let text = """
            {"username":"\(name)","password":"\(Self.password)","email":"\(name)@example.org","email_verified":true\
            \(members)}
            """
        let fields = FieldReader(try JSONReader.parse(Array(text.utf8).span.bytes), fields: UserFields.names)
        return try await self.issuer.people.administration.create(try NewUser(fields), audit: .test)
    }

    /// Changes a user as an administrator does.
    func change(_ user: User, _ text: String) async throws {
        var reader = FieldReader(try JSONReader.parse(Array(text.utf8).span.bytes), fields: UserFields.names)
        let fields = UserFields(&reader)
        try reader.finish()
        _ = try await self.issuer.people.administration.change(user.id, fields, audit: .test)
    }

    /// Logs in, as it is done without HTTP.
    func login(_ name: String = "ann", client: (id: String, secret: String)? = nil) async throws -> IssuedSession {
        try await self.issuer.people.sessions.login(
            LoginRequest(username: name, password: Self.password, client: client, address: nil), issuer: Self.url,
            audit: .test)
    }

    /// A token of a client that may administer users.
    func adminToken(_ scopes: [String] = ["admin:users"]) async throws -> String {
        try await self.register("admin", secret: Self.adminSecret, scopes: scopes)
        let request = TokenRequest(.secret(clientID: "admin", secret: Self.adminSecret))
        return try await self.issuer.tokens.issue(request, issuer: Self.url).text
    }

    /// Adds the service key `serviceKey`.
    func addServiceKey() async throws {
        let key = ServiceKey(
            id: Identifier.uuid(), name: "mt5", description: "", prefix: "hsk_kkkkkkkk",
            digest: self.issuer.serviceKeys.hasher.digest(Self.serviceKey), createdAt: 1000, revokedAt: nil)
        try await self.issuer.store.addServiceKey(key, audit: .test)
    }

    /// A token with those claims, signed by this issuer.
    func signed(_ token: AccessToken) throws -> String {
        try token.signed(by: self.issuer.keys.signer)
    }
}

extension TestClientProtocol {
    /// Sends JSON, with a Bearer token if one is given.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: String? = nil, bearer: String? = nil
    ) async throws -> TestResponse {
        var headers: HTTPFields = [:]
        if json != nil { headers[.contentType] = "application/json" }
        if let bearer { headers[.authorization] = "Bearer \(bearer)" }
        return try await self.execute(
            uri: path, method: method, headers: headers, body: json.map { ByteBuffer(string: $0) })
    }

    /// Logs in and gives the answer.
    func login(_ name: String = "ann", _ password: String = TestIssuer.password) async throws -> TestResponse {
        try await self.send(.post, "/auth/login", "{\"username\":\"\(name)\",\"password\":\"\(password)\"}")
    }
}

extension TestResponse {
    /// A string member of the body, or "".
    func text(_ member: String) throws -> String {
        try self.json[member]?.string ?? ""
    }

    /// The body without the id of the request, in which alone equal answers differ.
    var withoutRequestID: JSONValue {
        get throws {
            guard case .object(let members) = try self.json else { return .null }
            return .object(members.filter { $0.name != "request_id" })
        }
    }

    /// The fields that a 422 names.
    var badFields: [String] {
        get throws {
            guard case .array(let errors)? = try self.json["errors"] else { return [] }
            return errors.compactMap { $0["field"]?.string }
        }
    }
}

extension User {
    /// A user who may do everything that users may.
    static let sample = User(
        id: "22222222-2222-4222-8222-222222222222", username: "sam", email: "sam@example.org", isEmailVerified: true,
        isActive: true, isAdmin: false, roles: [], permissions: [], expiresOn: nil, passwordHash: "", createdAt: 0,
        updatedAt: 0, deletedAt: nil, tokensValidFrom: 0)
}
