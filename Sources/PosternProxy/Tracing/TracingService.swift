import Logging
import NIOCore
import PosternCore
import Synchronization

/// Tracing for the whole process: the tracer for new requests, and where spans go when they end. Both change with the policy;
/// a span that began under an earlier one goes where spans go now.
final class TracingService: Sendable {
    private struct State {
        var setup: TraceSetup?
        var tracer: SpanTracer?
        var exporter: SpanExporter?
        /// Those of earlier policies: first they are to be ended, then they send what they have.
        var leaving: [SpanExporter] = []
        var ending: [SpanExporter] = []
        /// What became of the spans of those that are gone.
        var past = SpanExport.Counts()
        var wasOn = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let group: any EventLoopGroup
    private let limits: SpanExport.Limits
    private let logger: Logger
    /// Another one for each process: `service.instance.id`.
    private let instance: String

    init(group: any EventLoopGroup, logger: Logger, limits: SpanExport.Limits = SpanExport.Limits()) {
        self.group = group
        self.limits = limits
        self.logger = logger
        var id: [UInt8] = []
        for _ in 0..<2 { id += Array(String(UInt64.random(in: (1 << 60) ... .max), radix: 16).utf8) }
        self.instance = String(decoding: id, as: UTF8.self)
    }

    /// What new requests are recorded with; nil: none is.
    var tracer: SpanTracer? { self.state.withLock { $0.tracer } }

    /// Has spans made and exported as a policy says; nil: not at all. What stays the same goes on as it is.
    func adopt(_ setup: TraceSetup?) {
        let leaving: SpanExporter? = self.state.withLock { state in
            if state.isStopped { return nil }
            if let old = state.setup, let setup, old.isSame(as: setup) { return nil }
            let old = state.exporter
            state.setup = setup
            state.wasOn = state.wasOn || setup != nil
            state.tracer = setup.map { setup in
                SpanTracer(setup.configuration) { [weak self] in self?.export($0) }
            }
            state.exporter = setup.map {
                SpanExporter(
                    $0, instance: self.instance, limits: self.limits, group: self.group, logger: self.logger)
            }
            if let old { state.leaving.append(old) }
            return old
        }
        guard let leaving else { return }
        Task { await self.end(leaving, within: .nanoseconds(leaving.setup.configuration.timeout)) }
    }

    /// Ends all of it: what is left is sent, for so long at most.
    func stop(within patience: Duration) async {
        let exporters = self.state.withLock { state in
            state.isStopped = true
            state.tracer = nil
            defer { state.exporter = nil }
            if let exporter = state.exporter { state.leaving.append(exporter) }
            return state.leaving
        }
        await withTaskGroup(of: Void.self) { tasks in
            for exporter in exporters { tasks.addTask { await self.end(exporter, within: patience) } }
        }
    }

    private func end(_ exporter: SpanExporter, within patience: Duration) async {
        let isFirst = self.state.withLock { state in
            guard let index = state.leaving.firstIndex(where: { $0 === exporter }) else { return false }
            state.leaving.remove(at: index)
            state.ending.append(exporter)
            return true
        }
        guard isFirst else { return }
        await exporter.stop(within: patience)
        self.state.withLock { state in
            state.ending.removeAll { $0 === exporter }
            state.past.add(exporter.status.counts)
        }
    }

    private func export(_ span: SpanRecord) {
        let bytes = OTLP.encode(span)
        let exporter = self.state.withLock { state in
            if state.exporter == nil { state.past.dropped &+= 1 }
            return state.exporter
        }
        exporter?.add(bytes)
    }

    // MARK: - Status

    /// For metrics.
    struct Status: Sendable {
        var counts = SpanExport.Counts()
        /// Spans that wait, or are on their way.
        var held = 0
    }

    /// Nil where no policy of this process has wanted any spans.
    var status: Status? {
        self.state.withLock { state in
            guard state.wasOn else { return nil }
            var status = Status(counts: state.past)
            for exporter in state.leaving + state.ending + [state.exporter].compactMap(\.self) {
                let (counts, held) = exporter.status
                status.counts.add(counts)
                status.held += held
            }
            return status
        }
    }
}

extension SpanExport.Counts {
    fileprivate mutating func add(_ other: SpanExport.Counts) {
        self.exported &+= other.exported
        self.dropped &+= other.dropped
        self.failed &+= other.failed
    }
}
