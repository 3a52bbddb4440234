import HTTPTypes
import Hummingbird
import PosternCore

/// What operators and their systems ask, on a listener of its own: `/metrics`, `/livez`, `/readyz`.
struct AdminEndpoints: Sendable {
    let issuer: Issuer

    func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.get("/metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: await self.issuer.metricsReport().text)))
        }
        router.get("/livez") { _, _ in
            Response.json(JSONValue.record([("status", .string("live"))]), headers: Self.fresh)
        }
        router.get("/readyz") { _, _ in
            let readiness = await self.issuer.readiness()
            return Response.json(
                readiness.json, status: readiness.isReady ? .ok : .serviceUnavailable, headers: Self.fresh)
        }
        return router
    }

    private static var fresh: HTTPFields { [.cacheControl: "no-store"] }
}
