import NIOHTTP1
import PosternCore
import Synchronization

/// `POST /explain`: what `postern explain` says, by the policy in force. It reads; nothing is counted, logged or sent to
/// the service. The body is a JSON object:
///
///     {"method": "GET", "path": "/api/v1/trades", "headers": ["Accept: text/html"], "token": "…", "claims": {"sub": "u1"}}
///
/// `method` and `path` are required; of `token` and `claims` (an object, or its text) there may be one. The answer is what
/// `postern explain --format json` prints; never the token.
final class ExplainEndpoint: Sendable {
    /// Explanations at a time: each may ask an issuer.
    static let limit = 4

    private let underWay = Atomic<Int>(0)

    func reply(to request: AdminRequest, _ source: any AdminSource) async -> AdminReply {
        guard !BrowserGuard.isCrossSite(request.headers) else {
            return .problem(.forbidden, "a page of another site may not ask this")
        }
        guard BrowserGuard.isJSON(request.headers) else {
            return .problem(.unsupportedMediaType, "the body has to be application/json")
        }
        guard let body = request.body else {
            return .problem(.payloadTooLarge, "the body has more than \(AdminRequest.bodyLimit) bytes")
        }
        let question: ExplainRequest
        do throws(ExplainRequest.Problem) {
            question = try Self.read(body)
        } catch {
            return .problem(.badRequest, error.message)
        }
        guard self.underWay.add(1, ordering: .relaxed).newValue <= Self.limit else {
            self.underWay.subtract(1, ordering: .relaxed)
            return .problem(.serviceUnavailable, "\(Self.limit) explanations are under way: ask again in a moment")
        }
        defer { self.underWay.subtract(1, ordering: .relaxed) }
        return AdminReply(status: .ok, contentType: "application/json", body: await source.explain(question))
    }

    // MARK: - Body

    static func read(_ body: [UInt8]) throws(ExplainRequest.Problem) -> ExplainRequest {
        let value: JSONValue
        do throws(JSONProblem) {
            value = try JSONReader.parse(body.span.bytes)
        } catch {
            throw .init(message: "the body is not JSON: \(error)")
        }
        guard case .object(let members) = value else { throw .init(message: "the body has to be a JSON object") }
        let known = ["method", "path", "headers", "token", "claims"]
        if let odd = members.first(where: { !known.contains($0.name) }) {
            throw .init(message: "there is no member \"\(odd.name)\": there are \(AccessText.list(known, "and"))")
        }
        let method = try Self.text("method", in: value)
        let path = try Self.text("path", in: value)
        guard let method, let path else { throw .init(message: "method and path are required") }
        let headers = try Self.headers(in: value)
        let token = try Self.text("token", in: value)
        var claims = value["claims"].map { $0.string ?? $0.serialized() }
        if value["claims"] == .null { claims = nil }
        do throws(ExplainRequest.Problem) {
            return try ExplainRequest(method: method, target: path, headers: headers, token: token, claims: claims)
        } catch {
            // The sentences are those of the command: here there are members in place of its options.
            throw .init(message: error.message.replacing("--header", with: "headers").replacing("--", with: ""))
        }
    }

    /// Nil where the member is absent or null.
    private static func text(_ name: String, in object: JSONValue) throws(ExplainRequest.Problem) -> String? {
        guard let value = object[name], value != .null else { return nil }
        guard let text = value.string else { throw .init(message: "\(name) has to be a string") }
        return text
    }

    private static func headers(in object: JSONValue) throws(ExplainRequest.Problem) -> [String] {
        guard let value = object["headers"], value != .null else { return [] }
        guard case .array(let items) = value else { throw .init(message: "headers has to be a list of strings") }
        var headers: [String] = []
        for item in items {
            guard let text = item.string else { throw .init(message: "headers has to be a list of strings") }
            headers.append(text)
        }
        return headers
    }
}
