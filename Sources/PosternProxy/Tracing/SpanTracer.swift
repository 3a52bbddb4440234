import PosternCore
import Synchronization
import Tracing

/// The tracer of swift-distributed-tracing that Postern's spans are made with, and the choice of the requests that get any. It is
/// handed to those who use it and is not the process's own (`InstrumentationSystem`): the HTTP client under the export would
/// make spans of exporting spans.
final class SpanTracer: Tracer {
    private let sampling: TraceSampling
    private let allowance: Mutex<TraceAllowance>
    /// What is done with a span that has ended.
    private let export: @Sendable (SpanRecord) -> Void

    init(_ configuration: Configuration.Tracing, export: @escaping @Sendable (SpanRecord) -> Void) {
        self.sampling = TraceSampling(share: configuration.sample, parents: configuration.parents)
        self.allowance = Mutex(TraceAllowance(limit: configuration.limit))
        self.export = export
    }

    /// Whether a request is to be recorded; only one that is takes of the allowance, which all event loops share.
    ///
    /// - Parameters:
    ///   - parent: what its caller says of the trace.
    ///   - now: monotonic nanoseconds.
    func records(parent: TraceContext?, traceLow: UInt64, now: Int64) -> Bool {
        self.sampling.records(parent: parent, traceLow: traceLow) && self.allowance.withLock { $0.take(now: now) }
    }

    // MARK: - Tracer

    /// A span in the trace of `context`, which is recorded if that is; or the first one of a new trace.
    func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> TraceSpan {
        let parent = context().position ?? Self.newTrace(self.sampling)
        var own = parent.context
        own.span = .random(in: 1 ... .max)
        let time = instant().nanosecondsSinceEpoch
        let record = SpanRecord(
            context: own, parent: parent.context.span, parentIsRemote: parent.isRemote, state: parent.state,
            name: operationName, kind: SpanRecord.Kind(kind), start: time, end: time)
        return TraceSpan(record, export: self.export)
    }

    private static func newTrace(_ sampling: TraceSampling) -> TracePosition {
        let low = UInt64.random(in: 1 ... .max)
        return TracePosition(
            context: TraceContext(
                traceHigh: .random(in: 0 ... .max), traceLow: low, span: 0,
                isSampled: sampling.records(parent: nil, traceLow: low)))
    }

    /// Spans leave when they end: there is nothing to hurry.
    func forceFlush() {}

    // MARK: - Instrument

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let text = extractor.extract(key: "traceparent", from: carrier),
            let parent = TraceContext(traceparent: Array(text.utf8).span.bytes)
        else { return }
        let state = Array((extractor.extract(key: "tracestate", from: carrier) ?? "").utf8)
        let isValid = TraceState.joined(state.span.bytes, [ByteRange(0, state.count)]) != nil
        context.position = TracePosition(context: parent, state: isValid ? state : [], isRemote: true)
    }

    func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let position = context.position, position.context.span != 0 else { return }
        injector.inject(
            String(decoding: position.context.traceparent, as: UTF8.self), forKey: "traceparent", into: &carrier)
        guard !position.state.isEmpty else { return }
        injector.inject(String(decoding: position.state, as: UTF8.self), forKey: "tracestate", into: &carrier)
    }
}

extension SpanRecord.Kind {
    init(_ kind: SpanKind) {
        self =
            switch kind {
            case .server: .server
            case .client: .client
            case .producer: .producer
            case .consumer: .consumer
            case .internal: .internal
            }
    }
}
