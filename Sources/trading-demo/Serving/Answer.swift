import Foundation
import HTTPTypes
import Hummingbird

/// A JSON object with `caller` added to its members.
struct Answer<Payload: Encodable>: Encodable {
    var payload: Payload
    var caller: Caller

    private enum CodingKeys: String, CodingKey {
        case caller
    }

    func encode(to encoder: any Encoder) throws {
        try self.payload.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.caller, forKey: .caller)
    }

    static func json(_ payload: Payload, status: HTTPResponse.Status = .ok, to request: Request) throws -> Response {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(Answer(payload: payload, caller: Caller(request)))
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body))
        )
    }
}

/// A request that cannot be served, with a sentence for whoever sent it.
struct Failure: HTTPResponseError {
    var status: HTTPResponse.Status
    var message: String
    var headers: HTTPFields = [:]

    private struct Body: Encodable {
        var error: String
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var response = try Answer.json(Body(error: self.message), status: self.status, to: request)
        response.headers.append(contentsOf: self.headers)
        return response
    }
}

/// Gives every error the JSON form of this service.
struct FailureMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: DemoContext, next: (Request, DemoContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as Failure {
            return try failure.response(from: request, context: context)
        } catch let error as HTTPError {
            let message = error.body ?? (error.status == .notFound ? "there is nothing at this path" : "bad request")
            return try Failure(status: error.status, message: message).response(from: request, context: context)
        } catch let error as any HTTPResponseError {
            let message = error.status == .contentTooLarge ? "the body is too large" : error.status.reasonPhrase
            return try Failure(status: error.status, message: message).response(from: request, context: context)
        }
    }
}
