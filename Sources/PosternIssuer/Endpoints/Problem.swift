import HTTPTypes
import Hummingbird
import PosternCore

/// An error answer in the form of RFC 9457, for everything that is not an OAuth endpoint.
struct Problem: HTTPResponseError {
    var status: HTTPResponse.Status
    var code: String
    var title: String
    /// One sentence that whoever sent the request can act on.
    var detail: String
    var extraHeaders: HTTPFields = [:]
    /// What is wrong field by field, the member `errors`; empty: there is no such member.
    var errors: [JSONValue] = []

    static let notFound = Problem(
        status: .notFound, code: "not_found", title: "Not found", detail: "there is nothing at this path")

    static let internalError = Problem(
        status: .internalServerError, code: "internal_error", title: "Internal error",
        detail: "the issuer could not do this; its log says why, under this request_id")

    /// There is nothing with this name at a path that is known.
    static func missing(_ detail: String) -> Problem {
        Problem(status: .notFound, code: "not_found", title: "Not found", detail: detail)
    }

    /// What is to be made is there already.
    static func alreadyExists(_ detail: String) -> Problem {
        Problem(status: .conflict, code: "already_exists", title: "Already exists", detail: detail)
    }

    static let storeUnavailable = Problem(
        status: .serviceUnavailable, code: "store_unavailable", title: "Store unavailable",
        detail: "the issuer cannot reach its store")

    static func methodNotAllowed(_ allow: String) -> Problem {
        Problem(
            status: .methodNotAllowed, code: "method_not_allowed", title: "Method not allowed",
            detail: "this path has other methods: \(allow)", extraHeaders: [.allow: allow])
    }

    func response(from request: Request, context: some RequestContext) -> Response {
        var members: [(String, JSONValue)] = [
            ("type", .string("urn:postern:problem:\(self.code)")),
            ("title", .string(self.title)),
            ("status", .integer(self.status.code)),
            ("detail", .string(self.detail)),
            ("code", .string(self.code)),
            ("request_id", .string(context.id)),
        ]
        if !self.errors.isEmpty { members.append(("errors", .array(self.errors))) }
        let body = JSONValue.record(members)
        var headers: HTTPFields = [.cacheControl: "no-store"]
        headers.append(contentsOf: self.extraHeaders)
        return .json(
            body, status: self.status, contentType: "application/problem+json", headers: headers)
    }
}
