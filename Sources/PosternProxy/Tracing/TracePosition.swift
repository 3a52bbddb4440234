import PosternCore
import Tracing

/// Where a new span belongs, as it is carried in the context of swift-distributed-tracing.
struct TracePosition: Sendable {
    /// The trace, and the span that the new one is a part of; span 0: none, the trace begins with it.
    var context: TraceContext
    /// The `tracestate` that came with it.
    var state: [UInt8] = []
    /// Whether that span is another process's.
    var isRemote = false

    fileprivate enum Key: InstrumentationContextKey {
        typealias Value = TracePosition
    }
}

extension InstrumentationContext {
    /// Nil where no trace has begun.
    var position: TracePosition? {
        get { self[TracePosition.Key.self] }
        set { self[TracePosition.Key.self] = newValue }
    }

    /// The context of a span that belongs there.
    init(_ position: TracePosition) {
        self = .topLevel
        self.position = position
    }
}
