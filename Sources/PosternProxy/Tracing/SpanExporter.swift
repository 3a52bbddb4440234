import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import PosternCore
import Synchronization

/// Sends spans to a collector (OTLP over HTTP, binary encoding): carries out what `SpanExport` says. Shared by all event loops;
/// batches are made and sent on none of them.
final class SpanExporter: Sendable {
    private struct State {
        var export: SpanExport
        var report = TroubleReport()
        /// Told when nothing is left after `drain`.
        var onFinish: (@Sendable () -> Void)?
        var isStopped = false
    }

    /// Bytes of an answer that are read.
    private static let answerLimit = 64 * 1024

    let setup: TraceSetup
    private let resource: [String: SpanRecord.Value]
    private let client: HTTPClient
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let state: Mutex<State>

    init(
        _ setup: TraceSetup, instance: String, limits: SpanExport.Limits, group: any EventLoopGroup, logger: Logger
    ) {
        self.setup = setup
        self.resource = setup.resource(instance: instance)
        self.client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: setup.client)
        self.eventLoop = group.next()
        self.state = Mutex(State(export: SpanExport(limits: limits)))
        var logger = logger
        logger[metadataKey: "endpoint"] = "\(setup.shownEndpoint)"
        self.logger = logger
    }

    private static var now: Int64 { SystemClock.monotonic }

    /// What became of spans, and how many are held.
    var status: (counts: SpanExport.Counts, held: Int) {
        self.state.withLock { ($0.export.counts, $0.export.held) }
    }

    // MARK: - Spans

    /// Takes an encoded span, or drops it where there are too many. Never waits.
    func add(_ span: [UInt8]) {
        self.act { $0.add(span, now: Self.now) }
    }

    /// Sends what is left, for so long at most; then ends.
    func stop(within patience: Duration) async {
        let (finished, finish) = AsyncStream.makeStream(of: Void.self)
        self.state.withLock { $0.onFinish = { finish.finish() } }
        self.act { $0.drain() }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { for await _ in finished {} }
            tasks.addTask { try? await Task.sleep(for: patience) }
            await tasks.next()
            tasks.cancelAll()
        }
        let lost = self.state.withLock { state in
            state.isStopped = true
            let lost = state.export.held
            state.export.abandon()
            return lost
        }
        if lost > 0 { self.logger.warning("spans were not exported in time", metadata: ["spans": "\(lost)"]) }
        try? await self.client.shutdown()
    }

    // MARK: - The machine

    private func act(_ event: (inout SpanExport) -> SpanExport.Action) {
        let (action, finish) = self.state.withLock { state in
            // What an event of the past leads to has nobody to do it any more.
            let action = event(&state.export)
            return (state.isStopped ? .none : action, state.onFinish)
        }
        switch action {
        case .none:
            break
        case .wake(let time):
            self.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(max(0, time)))) {
                self.act { $0.wake(now: Self.now) }
            }
        case .send(let spans):
            Task {
                let (outcome, trouble) = await self.send(spans)
                self.note(trouble)
                self.act { $0.answered(outcome, now: Self.now, random: Double.random(in: 0..<1)) }
            }
        case .finished:
            finish?()
        }
    }

    /// At most one line for each change.
    private func note(_ trouble: String?) {
        let now = Self.now
        guard let trouble else {
            if self.state.withLock({ $0.report.succeeded() }) { self.logger.info("spans are exported again") }
            return
        }
        // What breaks off at the end of the process is no trouble of the collector.
        guard self.state.withLock({ !$0.isStopped && $0.report.failed(trouble, now: now) }) else { return }
        self.logger.error("spans cannot be exported", metadata: ["reason": "\(trouble)"])
    }

    // MARK: - HTTP

    private func send(_ spans: [[UInt8]]) async -> (SpanExport.Outcome, trouble: String?) {
        let settings = self.setup.configuration
        var request = HTTPClientRequest(url: settings.endpoint)
        request.method = .POST
        for header in settings.headers {
            request.headers.add(name: header.name, value: String(decoding: header.value.bytes, as: UTF8.self))
        }
        request.headers.replaceOrAdd(name: "Content-Type", value: "application/x-protobuf")
        request.headers.replaceOrAdd(name: "User-Agent", value: "postern/\(PosternVersion.current)")
        let body = OTLP.request(spans, resource: self.resource, version: PosternVersion.current)
        request.body = .bytes(ByteBuffer(bytes: body))
        let deadline = NIODeadline.now() + .nanoseconds(settings.timeout)
        do {
            let response = try await self.client.execute(request, deadline: deadline)
            // A body of any other kind is read as well: the connection is used again.
            let answer = try await response.body.collect(upTo: Self.answerLimit)
            return Self.outcome(response, Array(answer.readableBytesView))
        } catch let error as HTTPClientError where error == .deadlineExceeded {
            return (.unavailable(retryAfter: nil), "the collector did not answer in time")
        } catch {
            return (.unavailable(retryAfter: nil), "the collector cannot be reached: \(error)")
        }
    }

    /// What an answer means (OTLP/HTTP, Response): four statuses ask for another try.
    private static func outcome(
        _ response: HTTPClientResponse, _ body: [UInt8]
    ) -> (SpanExport.Outcome, trouble: String?) {
        switch response.status.code {
        case 200..<300:
            let rejected = OTLP.rejectedSpans(in: body)
            return (.accepted(rejected: rejected), rejected > 0 ? "the collector rejects some of the spans" : nil)
        case 429, 502, 503, 504:
            let seconds = response.headers.first(name: "Retry-After").flatMap { Int64($0) }
            return (
                .unavailable(retryAfter: seconds.map { min(max(0, $0), 3600) * 1_000_000_000 }),
                "the collector answered \(response.status.code)"
            )
        default:
            return (.refused, "the collector answered \(response.status.code)")
        }
    }
}
