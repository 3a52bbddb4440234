import HTTPTypes
import Hummingbird

/// Counts requests and their time by route and status class. The route is its template: what a caller writes in a path
/// never becomes a label.
struct MetricsMiddleware: RouterMiddleware {
    let metrics: IssuerMetrics

    func handle(
        _ request: Request, context: IssuerContext, next: @concurrent (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        do {
            let response = try await next(request, context)
            self.count(context, response.status.code, start)
            return response
        } catch {
            // What concerns the connection itself comes here: then there is no answer.
            self.count(context, (error as? any HTTPResponseError)?.status.code ?? 0, start)
            throw error
        }
    }

    private func count(_ context: IssuerContext, _ status: Int, _ start: ContinuousClock.Instant) {
        let duration = (ContinuousClock.now - start) / .seconds(1)
        self.metrics.requested(context.endpointPath ?? "none", status: status, duration: duration)
    }
}
