import GRDB
import HTTPTypes
import Hummingbird
import Logging
import PosternCrypto

/// Gives every error one of the two documented forms. What the store or libcrypto could not do is logged and answered
/// with 500; errors of the connection itself go on to the server, which closes it.
struct ErrorMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: IssuerContext, next: (Request, IssuerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as OAuthError {
            return error.response(from: request, context: context)
        } catch let error as Problem {
            return error.response(from: request, context: context)
        } catch let error as HTTPError where error.status == .notFound {
            return Problem.notFound.response(from: request, context: context)
        } catch let error where error is DatabaseError || error is CryptoError {
            // Neither holds values: a database error names its SQL without arguments.
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return Problem.internalError.response(from: request, context: context)
        }
    }
}
