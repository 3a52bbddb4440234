import HTTPTypes
import Hummingbird

/// Registers handlers, and afterwards a 405 with `Allow` for the methods that a known path does not have.
struct RouteList {
    let router: Router<IssuerContext>
    /// Every path with its methods: what `/openapi.json` describes.
    private(set) var methods: [String: [HTTPRequest.Method]] = [:]

    init(router: Router<IssuerContext>) {
        self.router = router
    }

    /// - Parameter path: May hold parameters, each a whole part of it: `/things/{id}`, read with
    ///   `IssuerContext.parameter`. One that is written out is preferred to one with a parameter.
    mutating func on(
        _ method: HTTPRequest.Method, _ path: String,
        _ handler: @escaping @Sendable (Request, IssuerContext) async throws -> Response
    ) {
        self.router.on(RouterPath(path), method: method, use: handler)
        self.methods[path, default: []].append(method)
    }

    /// Those that the library has no name for: a GET with a body.
    private static let more = ["QUERY"].compactMap(HTTPRequest.Method.init(rawValue:))

    func refuseOtherMethods() {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace] + Self.more
        for (path, offered) in self.methods {
            let served = offered.contains(.get) ? offered + [.head] : offered
            let allow = served.map(\.rawValue).sorted().joined(separator: ", ")
            for method in known where !served.contains(method) {
                self.router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem.methodNotAllowed(allow)
                }
            }
        }
    }
}
