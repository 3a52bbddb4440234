import Hummingbird

/// Gives each request its time by the issuer's clock.
struct TimeMiddleware: RouterMiddleware {
    let clock: IssuerClock

    func handle(
        _ request: Request, context: IssuerContext, next: (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.time = self.clock.now()
        return try await next(request, context)
    }
}
