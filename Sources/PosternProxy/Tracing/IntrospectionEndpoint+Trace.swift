import NIOHTTP1
import PosternCore
import Tracing

// The client span of a question to an issuer.
extension IntrospectionEndpoint {
    /// Begins the span, and has the issuer told of it. Neither the token nor the credentials are in it.
    func startSpan(_ trace: QuestionTrace?, headers: inout HTTPHeaders) -> TraceSpan? {
        guard let trace else { return nil }
        let span = trace.tracer.startSpan("POST", context: trace.context, ofKind: .client, at: trace.now)
        span.updateAttributes {
            $0["http.request.method"] = "POST"
            $0.setServer(HostText(url: self.settings.url))
            $0["url.full"] = String(self.settings.url.prefix { $0 != "?" })
            $0["postern.issuer"] = self.issuer.rules.name
        }
        trace.tracer.inject(span.context, into: &headers, using: HeaderInjector())
        return span
    }

    /// Ends the span.
    func end(_ span: TraceSpan?, _ trace: QuestionTrace?, _ result: Result) {
        guard let span, let trace else { return }
        span.attributes["postern.result"] = result.rawValue
        if result != .active, result != .inactive {
            span.attributes["error.type"] = result.rawValue
            span.setStatus(SpanStatus(code: .error))
        }
        span.end(at: trace.now)
    }
}

/// Puts what a trace needs into the headers of a request.
struct HeaderInjector: Injector {
    func inject(_ value: String, forKey key: String, into carrier: inout HTTPHeaders) {
        carrier.replaceOrAdd(name: key, value: value)
    }
}
