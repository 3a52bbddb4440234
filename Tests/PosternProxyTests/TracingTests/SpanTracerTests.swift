import Synchronization
import Testing
import Tracing

@testable import PosternCore
@testable import PosternProxy

/// Spans that have ended.
private final class Ended: Sendable {
    private let spans = Mutex<[SpanRecord]>([])

    var all: [SpanRecord] { self.spans.withLock { $0 } }

    func add(_ span: SpanRecord) { self.spans.withLock { $0.append(span) } }
}

/// The tracer, through the API of swift-distributed-tracing.
@Suite struct SpanTracerTests {
    private struct Headers: Extractor, Injector {
        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    }

    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private let ended = Ended()

    private func tracer(sample: Double = 1) -> SpanTracer {
        let ended = self.ended
        let configuration = Configuration.Tracing(
            endpoint: "http://h", sample: sample, parents: .follow, limit: 2, serviceName: "s", headers: [],
            timeout: 1, mark: Mark(line: 1, column: 1))
        return SpanTracer(configuration) { ended.add($0) }
    }

    private static func time(_ nanoseconds: UInt64) -> DefaultTracerClock.Timestamp {
        DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: nanoseconds)
    }

    @Test func spanBelongsToTheContextThatWasExtracted() throws {
        let tracer = self.tracer(sample: 0)
        var context = InstrumentationContext.topLevel
        tracer.extract(["traceparent": Self.parent, "tracestate": "a=b"], into: &context, using: Headers())
        let outer = tracer.startSpan("outer", context: context, ofKind: .server, at: Self.time(10))
        let inner = tracer.startSpan("inner", context: outer.context, ofKind: .client, at: Self.time(20))
        var carrier: [String: String] = [:]
        tracer.inject(inner.context, into: &carrier, using: Headers())
        inner.end(at: Self.time(30))
        outer.end(at: Self.time(40))
        let spans = self.ended.all
        try #require(spans.map(\.name) == ["inner", "outer"])
        #expect(spans.map(\.kind) == [.client, .server])
        #expect(spans.map(\.start) == [20, 10] && spans.map(\.end) == [30, 40])
        #expect(spans[1].parent == 0xb7ad_6b71_6920_3331 && spans[1].parentIsRemote)
        #expect(spans[0].parent == spans[1].context.span && !spans[0].parentIsRemote)
        #expect(spans[0].context.traceLow == 0x8448_eb21_1c80_319c)
        #expect(Set([spans[0].parent, spans[0].context.span, 0xb7ad_6b71_6920_3331]).count == 3)
        #expect(carrier["traceparent"] == String(decoding: spans[0].context.traceparent, as: UTF8.self))
        #expect(carrier["tracestate"] == "a=b")
    }

    @Test("what is no trace context is none", arguments: ["", "x", "00-0-0-00"])
    func nothingToExtract(_ text: String) {
        var context = InstrumentationContext.topLevel
        self.tracer().extract(["traceparent": text, "tracestate": "a=b"], into: &context, using: Headers())
        #expect(context.position == nil)
        var carrier: [String: String] = [:]
        self.tracer().inject(context, into: &carrier, using: Headers())
        #expect(carrier.isEmpty)
    }

    @Test func malformedStateIsLeftOut() {
        var context = InstrumentationContext.topLevel
        self.tracer().extract(["traceparent": Self.parent, "tracestate": "A=b"], into: &context, using: Headers())
        #expect(context.position?.state == [])
    }

    @Test func traceThatIsNotRecordedIsPassedOnAndForgotten() {
        let tracer = self.tracer(sample: 0)
        let span = tracer.startSpan("new", context: .topLevel, at: Self.time(1))
        span.attributes["a"] = 1
        #expect(!span.isRecording)
        var carrier: [String: String] = [:]
        tracer.inject(span.context, into: &carrier, using: Headers())
        #expect(carrier["traceparent"]?.hasSuffix("-00") == true)
        span.end(at: Self.time(2))
        #expect(self.ended.all.isEmpty)
    }

    @Test func spanEndsOnceAndNotBeforeItBegan() throws {
        let span = self.tracer().startSpan("s", context: .topLevel, at: Self.time(10))
        #expect(span.isRecording)
        span.end(at: Self.time(5))
        span.operationName = "late"
        span.end(at: Self.time(20))
        #expect(self.ended.all.map(\.end) == [10])
        #expect(self.ended.all.map(\.name) == ["s"])
        #expect(!span.isRecording)
    }

    @Test func everythingThatTheAPIKnowsIsKept() throws {
        struct Trouble: Error {}
        let tracer = self.tracer()
        let other = tracer.startSpan("other", context: .topLevel)
        let span = tracer.startSpan("s", context: .topLevel)
        span.operationName = "t"
        span.attributes["text"] = "x"
        span.attributes["number"] = Int32(-7)
        span.attributes["list"] = ["a", "b"]
        span.attributes["share"] = 0.5
        span.attributes["flag"] = true
        span.addLink(other)
        span.recordError(Trouble(), attributes: [:], at: Self.time(3))
        span.setStatus(SpanStatus(code: .error, message: "m"))
        span.end()
        let record = try #require(self.ended.all.first)
        #expect(record.name == "t" && record.status == .error("m"))
        #expect(
            record.attributes == [
                "text": .string("x"), "number": .int(-7), "list": .array([.string("a"), .string("b")]),
                "share": .double(0.5), "flag": .bool(true),
            ])
        #expect(record.links.map(\.context) == [other.position])
        #expect(
            record.events == [
                SpanRecord.Event(time: 3, name: "exception", attributes: ["exception.type": .string("Trouble")])
            ])
        #expect(record.start > 1_700_000_000_000_000_000 && record.end >= record.start)
    }

    @Test func limitIsForWhatIsRecordedAlone() {
        let tracer = self.tracer(sample: 0)
        let recorded = TraceContext(traceHigh: 1, traceLow: 1, span: 1, isSampled: true)
        let answers = (0..<10).flatMap { _ in
            [tracer.records(parent: nil, traceLow: 0, now: 1), tracer.records(parent: recorded, traceLow: 1, now: 1)]
        }
        #expect(answers.count { $0 } == 2)
    }

    @Test(
        "servers",
        arguments: [
            ("h", "h", nil), ("h:80", "h", 80), ("[::1]:8080", "::1", 8080), ("[::1]", "::1", nil), ("h:", "h", nil),
            ("", "", nil),
        ] as [(String, String, Int?)])
    func hostText(_ row: (text: String, host: String, port: Int?)) {
        let server = HostText(row.text)
        #expect(server.host == row.host && server.port == row.port)
    }

    @Test(
        "servers of URLs",
        arguments: [
            ("http://h/x", "h", 80), ("https://h", "h", 443), ("HTTPS://[::1]:1/x:2", "::1", 1),
            ("http://h?a=b:3", "h", 80),
        ] as [(String, String, Int)])
    func urlServer(_ row: (url: String, host: String, port: Int)) {
        let server = HostText(url: row.url)
        #expect(server.host == row.host && server.port == row.port)
    }
}
