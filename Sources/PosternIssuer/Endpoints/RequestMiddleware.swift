import HTTPTypes
import Hummingbird

/// What every request goes through: says when it came, by the issuer's clock, and where from; gives its error one of the
/// documented forms; counts it and its time by route and status class. The route is its template: what a caller writes in
/// a path never becomes a label.
///
/// One middleware, because each costs a request as much as a look into the store.
struct RequestMiddleware: RouterMiddleware {
    let clock: IssuerClock
    let proxies: TrustedProxies
    let metrics: IssuerMetrics

    func handle(
        _ request: Request, context: IssuerContext, next: @concurrent (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.time = self.clock.now()
        context.address = self.address(of: request, context)
        do {
            let response = try await next(request, context)
            self.count(context, response.status.code, start)
            return response
        } catch {
            guard let response = ErrorAnswer.response(to: error, request, context) else {
                // What concerns the connection itself: then there is no answer.
                self.count(context, (error as? any HTTPResponseError)?.status.code ?? 0, start)
                throw error
            }
            self.count(context, response.status.code, start)
            return response
        }
    }

    private func address(of request: Request, _ context: IssuerContext) -> Address? {
        // Most have no proxy in front, and then the fields are not looked for.
        if self.proxies.blocks.isEmpty { return context.peer }
        return self.proxies.address(
            peer: context.peer, forwardedFor: Self.name.map { request.headers[values: $0] } ?? [])
    }

    private static let name = HTTPField.Name("X-Forwarded-For")

    private func count(_ context: IssuerContext, _ status: Int, _ start: ContinuousClock.Instant) {
        let duration = (ContinuousClock.now - start) / .seconds(1)
        self.metrics.requested(context.endpointPath ?? "none", status: status, duration: duration)
    }
}
