import HTTPTypes
import Hummingbird
import Logging
import PosternCrypto

/// The answers to errors.
enum ErrorAnswer {
    /// The error in one of the two documented forms. What the store or libcrypto could not do is logged and answered with
    /// 500, or 503 while the store is away. Nil for errors of the connection itself, which go on to the server: it closes it.
    static func response(to error: any Error, _ request: Request, _ context: IssuerContext) -> Response? {
        switch error {
        case let error as OAuthError:
            return error.response(from: request, context: context)
        case let error as Problem:
            return error.response(from: request, context: context)
        case let error as HTTPError where error.status == .notFound:
            return Problem.notFound.response(from: request, context: context)
        case let error as StoreError where error.kind == .unavailable:
            context.logger.error("the store does not answer", metadata: ["error": "\(error)"])
            return Problem.storeUnavailable.response(from: request, context: context)
        case is StoreError, is CryptoError:
            // Neither holds values.
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            return Problem.internalError.response(from: request, context: context)
        default:
            return nil
        }
    }
}
