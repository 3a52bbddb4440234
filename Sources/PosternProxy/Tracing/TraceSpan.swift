import PosternCore
import Synchronization
import Tracing

/// A span that goes on. It is exported when it ends, once; one that is not recorded is forgotten.
final class TraceSpan: Span {
    let context: InstrumentationContext
    /// The trace, and this span in it.
    let position: TraceContext

    private struct State {
        /// Nil: the span has ended, or is not recorded.
        var record: SpanRecord?
        var name: String
        var attributes = SpanAttributes()
    }
    private let state: Mutex<State>
    private let export: @Sendable (SpanRecord) -> Void

    init(_ record: SpanRecord, export: @escaping @Sendable (SpanRecord) -> Void) {
        self.position = record.context
        self.context = InstrumentationContext(TracePosition(context: record.context, state: record.state))
        self.state = Mutex(State(record: record.context.isSampled ? record : nil, name: record.name))
        self.export = export
    }

    var isRecording: Bool { self.state.withLock { $0.record != nil } }

    var operationName: String {
        get { self.state.withLock { $0.name } }
        set { self.state.withLock { $0.name = newValue } }
    }

    var attributes: SpanAttributes {
        get { self.state.withLock { $0.attributes } }
        set { self.state.withLock { $0.attributes = newValue } }
    }

    func setStatus(_ status: SpanStatus) {
        self.state.withLock { $0.record?.status = status.code == .ok ? .ok : .error(status.message ?? "") }
    }

    func addEvent(_ event: SpanEvent) {
        let event = SpanRecord.Event(
            time: event.nanosecondsSinceEpoch, name: event.name, attributes: event.attributes.values)
        self.state.withLock { $0.record?.events.append(event) }
    }

    func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.type"] = "\(type(of: error))"
        self.addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    func addLink(_ link: SpanLink) {
        guard let position = link.context.position else { return }
        let link = SpanRecord.Link(context: position.context, attributes: link.attributes.values)
        self.state.withLock { $0.record?.links.append(link) }
    }

    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let time = instant().nanosecondsSinceEpoch
        let ended: SpanRecord? = self.state.withLock { state in
            guard var record = state.record.take() else { return nil }
            record.name = state.name
            record.attributes = state.attributes.values
            record.end = max(time, record.start)
            return record
        }
        if let ended { self.export(ended) }
    }
}

extension SpanAttributes {
    /// As they are exported.
    var values: [String: SpanRecord.Value] {
        var values: [String: SpanRecord.Value] = [:]
        self.forEach { values[$0] = SpanRecord.Value($1) }
        return values
    }
}

extension SpanRecord.Value {
    fileprivate init(_ attribute: SpanAttribute) {
        switch attribute {
        case .int32(let number): self = .int(Int64(number))
        case .int64(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .bool(let bool): self = .bool(bool)
        case .string(let text): self = .string(text)
        case .stringConvertible(let value): self = .string("\(value)")
        case .int32Array(let numbers): self = .array(numbers.map { .int(Int64($0)) })
        case .int64Array(let numbers): self = .array(numbers.map { .int($0) })
        case .doubleArray(let numbers): self = .array(numbers.map { .double($0) })
        case .boolArray(let bools): self = .array(bools.map { .bool($0) })
        case .stringArray(let texts): self = .array(texts.map { .string($0) })
        case .stringConvertibleArray(let values): self = .array(values.map { .string("\($0)") })
        default: self = .string("")
        }
    }
}
