import HTTPTypes
import Hummingbird

/// Says of each request when it came, by the issuer's clock, and where from.
struct ArrivalMiddleware: RouterMiddleware {
    let clock: IssuerClock
    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: IssuerContext, next: @concurrent (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.time = self.clock.now()
        context.address = self.proxies.address(
            peer: context.peer, forwardedFor: Self.name.map { request.headers[values: $0] } ?? [])
        return try await next(request, context)
    }

    private static let name = HTTPField.Name("X-Forwarded-For")
}
