import PosternCore
import Tracing

/// What a connection keeps of the trace of its current request. Connections have one only while requests are recorded at all; it
/// is used again for the next request.
final class RequestTrace {
    /// Whether it speaks of a request that goes on, and of which.
    private(set) var isOpen = false
    private(set) var request: UInt64 = 0
    /// The trace and, of a request that is recorded, its server span.
    private(set) var context = TraceContext(traceHigh: 0, traceLow: 0, span: 0, isSampled: false)
    /// Whether the client's `traceparent` is not what goes on.
    private(set) var replacesParent = false
    /// Whether the client's `tracestate` goes on.
    private(set) var keepsState = false
    /// From monotonic nanoseconds to Unix nanoseconds: the same for all spans of the request.
    private(set) var offset: Int64 = 0
    private(set) var tracer: SpanTracer?
    private(set) var server: TraceSpan?
    var verification: TraceSpan?
    var upstream: TraceSpan?
    /// How often the request was sent again.
    var resends = 0

    /// A request begins, and is not recorded.
    func begin(request: UInt64, context: TraceContext, replacesParent: Bool, keepsState: Bool) {
        self.begin(request)
        self.context = context
        self.replacesParent = replacesParent
        self.keepsState = keepsState
    }

    /// A request begins, and is recorded.
    func begin(request: UInt64, tracer: SpanTracer, server: TraceSpan, offset: Int64, keepsState: Bool) {
        self.begin(request)
        self.context = server.position
        self.replacesParent = true
        self.keepsState = keepsState
        self.offset = offset
        self.tracer = tracer
        self.server = server
    }

    private func begin(_ request: UInt64) {
        self.end()
        self.isOpen = true
        self.request = request
    }

    /// The request is over.
    func end() {
        self.isOpen = false
        self.resends = 0
        guard self.server != nil else { return }
        (self.server, self.verification, self.upstream, self.tracer) = (nil, nil, nil, nil)
    }

    /// A moment in monotonic nanoseconds as spans want it.
    func instant(_ time: Int64) -> DefaultTracerClock.Timestamp {
        DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: UInt64(max(0, time &+ self.offset)))
    }

    /// Now, more exactly than the turn of the loop has it: what happened inside a span ends before it does.
    var now: DefaultTracerClock.Timestamp { self.instant(SystemClock.monotonic) }
}

/// The trace of a request that waits for an issuer's answer: what the question is a part of. The flight of a token is in the
/// trace of the request that it began with; others that wait for it have only their own waiting in theirs.
struct QuestionTrace: Sendable {
    let tracer: SpanTracer
    /// That of the span for the verification.
    let context: InstrumentationContext
    /// From monotonic nanoseconds to Unix nanoseconds.
    let offset: Int64

    var now: DefaultTracerClock.Timestamp {
        DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: UInt64(max(0, SystemClock.monotonic &+ self.offset)))
    }
}
