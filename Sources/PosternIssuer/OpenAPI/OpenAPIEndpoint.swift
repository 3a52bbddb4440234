import HTTPTypes
import Hummingbird
import PosternCore
import PosternCrypto
import Synchronization

/// `GET /openapi.json`: the description of everything that is served, itself included.
///
/// It is written once: for the first request, because only then an issuer in development mode is sure to know its URL.
final class OpenAPIEndpoint: Sendable {
    private struct Written {
        let text: String
        /// As in the header: with its quotes.
        let tag: String
    }

    private let issuer: IssuerURL
    private let written = Mutex<Written?>(nil)

    init(issuer: IssuerURL) {
        self.issuer = issuer
    }

    /// Adds the route.
    func register(in routes: inout RouteList) {
        routes.on(.get, "/openapi.json") { request, _ in self.answer(request.headers[values: .ifNoneMatch]) }
    }

    /// 304 if the caller has it already (RFC 9110 section 13.1.2).
    private func answer(_ known: [String]) -> Response {
        let document = self.document()
        let headers: HTTPFields = [
            .cacheControl: "public, max-age=\(MetadataEndpoints.maxAge)", .eTag: document.tag,
        ]
        let tags = known.joined(separator: ",").split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
        guard !tags.contains("*"), !tags.contains(document.tag), !tags.contains("W/" + document.tag) else {
            return Response(status: .notModified, headers: headers)
        }
        return .json(document.text, headers: headers)
    }

    private func document() -> Written {
        self.written.withLock { written in
            if let written { return written }
            let text = APIDocument.json(issuer: self.issuer.value).serialized()
            let digest = Digest.sha256(Array(text.utf8))
            let made = Written(text: text, tag: "\"\(Base64URL.encode(Array(digest.prefix(12))))\"")
            written = made
            return made
        }
    }
}
