import HTTPTypes
import Hummingbird
import Logging
import PosternCrypto

/// Gives every error one of the two documented forms. What the store or libcrypto could not do is logged and answered
/// with 500, or 503 while the store is away; errors of the connection itself go on to the server, which closes it.
struct ErrorMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: IssuerContext, next: @concurrent (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as OAuthError {
            return error.response(from: request, context: context)
        } catch let error as Problem {
            return error.response(from: request, context: context)
        } catch let error as HTTPError where error.status == .notFound {
            return Problem.notFound.response(from: request, context: context)
        } catch let error as StoreError where error.kind == .unavailable {
            context.logger.error("the store does not answer", metadata: ["error": "\(error)"])
            return Problem.storeUnavailable.response(from: request, context: context)
        } catch let error where error is StoreError || error is CryptoError {
            // Neither holds values.
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return Problem.internalError.response(from: request, context: context)
        }
    }
}
