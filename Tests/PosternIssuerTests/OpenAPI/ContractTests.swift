import HTTPTypes
import Testing

@testable import PosternIssuer

/// An answer, and the fault that must be found in it; nil: none.
struct ContractRow: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var served: ServedRequest
    var fault: String?
}

/// The contract itself has to bite: what breaks it is found.
@Suite struct ContractTests {
    private static let problem = """
        {"type":"urn:postern:problem:CODE","title":"t","status":404,"detail":"d","code":"CODE","request_id":"1"}
        """

    private static func error(
        _ method: HTTPRequest.Method, _ uri: String, _ status: Int, _ code: String, _ headers: HTTPFields = [:]
    ) -> ServedRequest {
        var fields: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        fields.append(contentsOf: headers)
        return ServedRequest(
            method: method, uri: uri, status: status, headers: fields,
            body: Self.problem.replacing("CODE", with: code))
    }

    private static func health(
        _ body: String, status: Int = 200, type: String = "application/json", cache: String? = "no-store",
        method: HTTPRequest.Method = .get
    ) -> ServedRequest {
        var headers: HTTPFields = [.contentType: type]
        headers[.cacheControl] = cache
        return ServedRequest(method: method, uri: "/health", status: status, headers: headers, body: body)
    }

    private static func token(_ request: String, _ headers: HTTPFields = [:], path: String = "/oauth/token")
        -> ServedRequest
    {
        var sent: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
        for field in headers { sent[field.name] = field.value }
        return ServedRequest(
            method: .post, uri: path, requestHeaders: sent, requestBody: request, status: 200,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":1,\"scope\":\"\"}")
    }

    static let rows = [
        ContractRow(testDescription: "healthy", served: health("{\"status\":\"ok\"}")),
        ContractRow(testDescription: "a HEAD", served: health("", method: .head)),
        ContractRow(testDescription: "another status", served: health("", status: 418), fault: "418 is not declared"),
        ContractRow(
            testDescription: "another type", served: health("{\"status\":\"ok\"}", type: "text/plain"),
            fault: "content type text/plain"),
        ContractRow(
            testDescription: "a header less", served: health("{\"status\":\"ok\"}", cache: nil),
            fault: "no Cache-Control"),
        ContractRow(
            testDescription: "another header", served: health("{\"status\":\"ok\"}", cache: "private"),
            fault: "Cache-Control: \"private\""),
        ContractRow(testDescription: "a member less", served: health("{}"), fault: "lacks status"),
        ContractRow(
            testDescription: "a member more", served: health("{\"status\":\"ok\",\"more\":1}"),
            fault: "$.more: is not allowed"),
        ContractRow(testDescription: "another value", served: health("{\"status\":\"bad\"}"), fault: "is not one of"),
        ContractRow(testDescription: "no JSON", served: health("ok"), fault: "no JSON"),
        ContractRow(testDescription: "no such path", served: error(.get, "/nowhere", 404, "not_found")),
        ContractRow(
            testDescription: "an undescribed path", served: ServedRequest(method: .get, uri: "/nowhere", status: 200),
            fault: "not 404"),
        ContractRow(
            testDescription: "another method",
            served: error(.put, "/health", 405, "method_not_allowed", [.allow: "GET, HEAD"])),
        ContractRow(
            testDescription: "another method without Allow", served: error(.put, "/health", 405, "method_not_allowed"),
            fault: "Allow is missing"),
        ContractRow(
            testDescription: "an undescribed method", served: ServedRequest(method: .put, uri: "/health", status: 204),
            fault: "not 405"),
        ContractRow(
            testDescription: "another code", served: error(.get, "/health", 503, "overloaded"), fault: "$.code"),
        ContractRow(
            testDescription: "a client that is not there",
            served: error(.get, "/api/v1/admin/service-clients/x", 404, "not_found")),
        ContractRow(
            testDescription: "no challenge",
            served: error(.get, "/api/v1/admin/service-clients/x", 401, "missing_token"), fault: "WWW-Authenticate"),
        ContractRow(
            testDescription: "a body where none is",
            served: ServedRequest(
                method: .delete, uri: "/auth/service-keys/x", requestHeaders: [.authorization: "Bearer x"], status: 204,
                body: "{}"), fault: "none is declared"),
        ContractRow(
            testDescription: "nobody asked, and was served",
            served: ServedRequest(method: .delete, uri: "/auth/service-keys/x", status: 204),
            fault: "nobody authenticated"),
        ContractRow(testDescription: "a token", served: token("grant_type=client_credentials&x=1&scope=")),
        ContractRow(testDescription: "a form without a grant", served: token("x=1"), fault: "lacks grant_type"),
        ContractRow(
            testDescription: "a grant that is not described", served: token("grant_type=password"),
            fault: "is not one of"),
        ContractRow(
            testDescription: "an undescribed type",
            served: token("{\"grant_type\":\"client_credentials\"}", [.contentType: "application/json"]),
            fault: "of the type application/json"),
        ContractRow(
            testDescription: "JSON where it is described",
            served: token(
                "{\"client_id\":\"a\",\"client_secret\":\"b\",\"scope\":null}", [.contentType: "application/json"],
                path: "/api/v1/auth/service-token")),
        ContractRow(
            testDescription: "an undescribed parameter",
            served: ServedRequest(
                method: .get, uri: "/.well-known/jwks.json?x=1", status: 200,
                headers: [.contentType: "application/jwk-set+json", .cacheControl: "public, max-age=300"],
                body: "{\"keys\":[]}"), fault: "query parameter x"),
    ]

    @Test("What breaks the contract is found, and nothing else", arguments: Self.rows)
    func bites(_ row: ContractRow) {
        let faults = Contract.issuer.faults(row.served)
        if let fault = row.fault {
            #expect(faults.contains { $0.contains(fault) }, "\(faults)")
        } else {
            #expect(faults == [])
        }
    }
}
