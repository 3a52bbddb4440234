import HTTPTypes
import Hummingbird

/// Finds out where each request came from.
struct AddressMiddleware: RouterMiddleware {
    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: IssuerContext, next: (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.address = self.proxies.address(
            peer: context.peer, forwardedFor: Self.name.map { request.headers[values: $0] } ?? [])
        return try await next(request, context)
    }

    private static let name = HTTPField.Name("X-Forwarded-For")
}
