import HTTPTypes
import Hummingbird

/// Registers handlers, and afterwards a 405 with `Allow` for the methods that a known path does not have.
struct RouteList {
    private let router: Router<DemoContext>
    private var methods: [String: [HTTPRequest.Method]] = [:]

    init(router: Router<DemoContext>) {
        self.router = router
    }

    mutating func on(
        _ method: HTTPRequest.Method, _ path: String,
        _ handler: @escaping @Sendable (Request, DemoContext) async throws -> Response
    ) {
        self.router.on(RouterPath(path), method: method, use: handler)
        self.methods[path, default: []].append(method)
    }

    func refuseOtherMethods() {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
        for (path, offered) in self.methods {
            let served = offered.contains(.get) ? offered + [.head] : offered
            let allow = served.map(\.rawValue).sorted().joined(separator: ", ")
            for method in known where !served.contains(method) {
                self.router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Failure(
                        status: .methodNotAllowed, message: "\(method.rawValue) is not offered here",
                        headers: [.allow: allow])
                }
            }
        }
    }
}
