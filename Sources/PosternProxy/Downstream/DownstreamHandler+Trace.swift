import NIOCore
import PosternCore
import Tracing

// The trace of a request: which it belongs to, and its spans where it is recorded. Apart from the path of requests while there is
// no tracing, which only ask whether there is a tracer.
extension DownstreamHandler {
    // MARK: - The request

    /// Finds out which trace the request whose head was taken last belongs to, and whether it is recorded; then it gets a span. A
    /// head that is judged again, with keys or an issuer's answer, goes on in the trace that it has.
    @inline(never)
    func noteTrace(_ buffer: ByteBuffer, _ facts: Intake.Facts) {
        guard let tracer = self.loop.tracer else { return }
        let trace = self.trace ?? RequestTrace()
        self.trace = trace
        let bytes = buffer.readableBytesSpan
        if trace.isOpen, trace.request == self.requestNumber {
            if trace.replacesParent {
                self.loop.intake.continueTrace(trace.context, keepsState: trace.keepsState)
            }
            return
        }
        let parent = self.loop.intake.traceParent(bytes)
        let (high, low) = self.loop.intake.traceNumbers()
        guard tracer.records(parent: parent, traceLow: low, now: self.loop.now) else {
            let own = TraceContext(
                traceHigh: high, traceLow: low, span: self.loop.intake.makeSpanID(), isSampled: false)
            // Who comes after is told of this decision; a parent that has decided so itself stays as it is.
            let replaces = parent?.isSampled ?? true
            let keepsState = replaces && parent != nil && self.loop.intake.traceState(bytes) != nil
            trace.begin(request: self.requestNumber, context: own, replacesParent: replaces, keepsState: keepsState)
            if replaces { self.loop.intake.continueTrace(own, keepsState: keepsState) }
            return
        }
        // Without a trace that goes on there is nothing that a state could belong to.
        let state = parent == nil ? nil : self.loop.intake.traceState(bytes)
        let position = TracePosition(
            context: TraceContext(traceHigh: high, traceLow: low, span: parent?.span ?? 0, isSampled: true),
            state: state ?? [], isRemote: parent != nil)
        let offset = Int64(self.loop.wallTime * 1e9) &- self.loop.now
        let started = DefaultTracerClock.Timestamp(
            nanosecondsSinceEpoch: UInt64(max(0, self.record.started &+ offset)))
        let span = tracer.startSpan(
            facts.method.traceName, context: InstrumentationContext(position), ofKind: .server, at: started)
        trace.begin(
            request: self.requestNumber, tracer: tracer, server: span, offset: offset, keepsState: state != nil)
        self.describe(span, bytes, facts)
        self.loop.intake.continueTrace(trace.context, keepsState: trace.keepsState)
    }

    /// What the head says of the request. Never a query, and never a header but Host.
    private func describe(_ span: TraceSpan, _ bytes: RawSpan, _ facts: Intake.Facts) {
        let path = Self.path(bytes.slice(facts.target))
        let host = HostText(String(decoding: self.loop.intake.hostText(bytes), as: UTF8.self))
        span.updateAttributes {
            $0["http.request.method"] = facts.method.traceName
            if facts.method == .other {
                $0["http.request.method_original"] = bytes.slice(facts.methodToken).string()
            }
            $0["url.scheme"] = self.client.isSecure ? "https" : "http"
            if !path.isEmpty { $0["url.path"] = path }
            $0.setServer(host)
            $0["network.protocol.version"] = self.stream != nil ? "2" : facts.minorVersion == 1 ? "1.1" : "1.0"
            // A method of gRPC is called by a path of two segments.
            let parts = path.split(separator: "/")
            guard facts.grpc != nil, parts.count == 2 else { return }
            $0["rpc.system"] = "grpc"
            $0["rpc.service"] = String(parts[0])
            $0["rpc.method"] = String(parts[1])
        }
    }

    /// The path of a target, up to the query. A target that is no path may hold credentials: it is not taken.
    private static func path(_ target: RawSpan) -> String {
        guard target.byteCount > 0, target.byte(0) == UInt8(ascii: "/") else { return "" }
        return String(target.string().prefix { $0 != "?" })
    }

    // MARK: - The token

    /// The token is not in the cache, and is verified: with keys, or by asking.
    @inline(never)
    func traceVerification() {
        guard let trace, trace.isOpen, trace.verification == nil, let server = trace.server, let tracer = trace.tracer
        else { return }
        trace.verification = tracer.startSpan("verify token", context: server.context, at: trace.now)
    }

    /// What a question to an issuer is a part of; nil where the request is not recorded.
    var questionTrace: QuestionTrace? {
        guard let trace, trace.isOpen, let span = trace.verification, let tracer = trace.tracer else { return nil }
        return QuestionTrace(tracer: tracer, context: span.context, offset: trace.offset)
    }

    /// The verification is over. `refusal`: why the token does not count, if it does not.
    @inline(never)
    func endVerification(_ refusal: RefusalCode?) {
        guard let trace, let span = trace.verification else { return }
        trace.verification = nil
        let record = self.record
        span.updateAttributes {
            $0["postern.token_source"] = record.source?.rawValue
            $0["postern.issuer"] = record.token?.principal.issuer
            $0["postern.code"] = refusal?.rawValue
        }
        if refusal == .issuerUnavailable {
            span.attributes["error.type"] = RefusalCode.issuerUnavailable.rawValue
            span.setStatus(SpanStatus(code: .error))
        }
        span.end(at: trace.now)
    }

    // MARK: - The service

    /// The request is about to go to the service: in its trace, under a span of its own if it is recorded.
    @inline(never)
    func traceUpstream(_ trace: RequestTrace, _ upstream: UpstreamTarget) {
        guard trace.isOpen else { return }
        guard let server = trace.server, let tracer = trace.tracer else {
            if trace.replacesParent {
                self.loop.intake.continueTrace(trace.context, keepsState: trace.keepsState)
            }
            return
        }
        let method = self.record.method.traceName
        let span = tracer.startSpan(method, context: server.context, ofKind: .client, at: trace.now)
        let path = server.attributes.get("url.path")
        span.updateAttributes {
            $0["http.request.method"] = method
            switch upstream.address {
            case .host(let host, let port):
                $0["server.address"] = host
                $0["server.port"] = port
                if case .string(let path) = path {
                    let base = upstream.url.hasSuffix("/") ? String(upstream.url.dropLast()) : upstream.url
                    $0["url.full"] = base + path
                }
            case .unix(let path):
                $0["server.address"] = path
            }
            switch upstream.applicationProtocol {
            case .http1: $0["network.protocol.version"] = "1.1"
            case .h2: $0["network.protocol.version"] = "2"
            // Which one it is turns out with each connection.
            case .auto: break
            }
        }
        trace.upstream = span
        self.loop.intake.continueTrace(span.position, keepsState: trace.keepsState)
    }

    // MARK: - The end

    /// The request is over, with all its spans.
    @inline(never)
    func finishTrace(_ trace: RequestTrace) {
        defer { trace.end() }
        guard trace.isOpen, let server = trace.server else { return }
        if trace.verification != nil { self.endVerification(self.record.refusal) }
        if let upstream = trace.upstream { self.end(upstream, of: trace) }
        let record = self.record
        if record.route >= 0 {
            let key = self.snapshot.configuration.routes[record.route].pattern.text
            let pattern = String(key[(key.firstIndex(of: "/") ?? key.startIndex)...])
            server.operationName = "\(record.method.traceName) \(pattern)"
            server.attributes["http.route"] = pattern
        }
        let client = (record.isProxied ? self.proxied?.address : nil) ?? self.client.address
        server.updateAttributes {
            if !client.isEmpty { $0["client.address"] = String(decoding: client, as: UTF8.self) }
            // A stream never gets a 101: its tunnel begins with a 200 (RFC 8441 section 5).
            let status = self.stream != nil && record.status == 101 ? 200 : record.status
            if status != 0 { $0["http.response.status_code"] = status }
            $0["error.type"] = Self.serverError(record)
            $0["postern.decision"] = "\(record.decision)"
            $0["postern.code"] = record.refusal?.rawValue ?? record.preflight.code
            $0["postern.issuer"] = record.token?.principal.issuer
            $0["postern.token_source"] = record.source?.rawValue
            $0["postern.request_id"] = String(decoding: self.texts.requestID, as: UTF8.self)
            $0["postern.tunnel_end"] = self.tunnel?.machine?.end?.rawValue
            if record.spoofed { $0["postern.spoofed"] = true }
        }
        // What a client does wrong is no error of the server (semantic conventions for HTTP, Status).
        if record.status >= 500 { server.setStatus(SpanStatus(code: .error)) }
        server.end(at: trace.now)
    }

    private static func serverError(_ record: ExchangeRecord) -> String? {
        if record.status == 0 { return "client_disconnected" }
        guard record.status >= 500 else { return nil }
        return record.refusal?.rawValue ?? "\(record.status)"
    }

    private func end(_ span: TraceSpan, of trace: RequestTrace) {
        let record = self.record
        if trace.resends > 0 { span.attributes["http.request.resend_count"] = trace.resends }
        if let refusal = record.refusal {
            span.attributes["error.type"] = refusal.rawValue
            span.setStatus(SpanStatus(code: .error))
        } else if record.status != 0 {
            span.attributes["http.response.status_code"] = record.status
            if record.status >= 400 {
                span.attributes["error.type"] = "\(record.status)"
                span.setStatus(SpanStatus(code: .error))
            }
        }
        span.end(at: trace.now)
    }
}

extension Method {
    /// As the semantic conventions want it: a method that is not known goes by one name.
    fileprivate var traceName: String { self == .other ? "_OTHER" : self.name }
}
