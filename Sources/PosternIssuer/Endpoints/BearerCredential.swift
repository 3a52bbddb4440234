import HTTPTypes
import Hummingbird

/// What stands in `Authorization: Bearer …` (RFC 6750 section 2.1).
enum BearerCredential {
    /// The token or key. Throws `Problem` (401) if there is none.
    static func find(in headers: HTTPFields) throws(Problem) -> String {
        let values = headers[values: .authorization]
        guard let header = values.first else { throw Self.unauthorized("there is no access token", error: nil) }
        guard values.count == 1, let credential = Self.parse(header) else {
            throw Self.unauthorized("the Authorization header is not one Bearer token", error: "invalid_request")
        }
        return credential
    }

    /// What follows the scheme; nil if it is another one.
    static func parse(_ header: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1].drop { $0 == " " })
    }

    /// The answer 401. `error`: a code of RFC 6750 section 3.1; nil: nothing was sent.
    static func unauthorized(_ detail: String, error: String?) -> Problem {
        Problem(
            status: .unauthorized, code: error ?? "missing_token", title: "Unauthorized", detail: detail,
            extraHeaders: [.wwwAuthenticate: Self.challenge(error: error)])
    }

    /// The value of `WWW-Authenticate`.
    static func challenge(error: String?) -> String {
        "Bearer realm=\"postern-issuer\"" + (error.map { ", error=\"\($0)\"" } ?? "")
    }
}
