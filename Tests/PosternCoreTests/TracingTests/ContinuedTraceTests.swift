import Testing

@testable import PosternCore

private let trace = "0af7651916cd43dd8448eb211c80319c"
private let parent = "b7ad6b7169203331"

/// What of the client's trace context goes on where the request has a span here.
@Suite struct ContinuedTraceTests {
    private static let context = TraceContext(traceHigh: 0xA, traceLow: 0xB, span: 0xC, isSampled: true)

    /// The trace lines that the service gets.
    private static func forwarded(
        _ lines: [String], _ identifiers: inout Identifiers, keepsState: Bool? = true, isSampled: Bool = true
    ) throws -> [String] {
        let text = "GET /x HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        let bytes = Array(text.utf8)
        let read = try #require(try readRequest(bytes))
        let target = try CheckedTarget.check(bytes.span.bytes, read.head.target, options: TargetOptions())
        let gate = try openGate()
        let permit = try #require(gate.policy.permitOpen(route: PolicyCatalogue.undeclared))
        identifiers.assign(bytes.span.bytes, read.head)
        if let keepsState {
            var context = Self.context
            context.isSampled = isSampled
            identifiers.continueTrace(context, keepsState: keepsState)
        }
        var output: [UInt8] = []
        _ = UpstreamHead.compose(
            bytes.span.bytes, read.head, target, permit: permit, token: nil, identity: gate.identity,
            forwardToken: false, client: ClientFacts(address: [], scheme: "http"), identifiers: &identifiers,
            into: &output)
        return String(decoding: output, as: UTF8.self).split(separator: "\r\n").map(String.init)
            .filter { $0.lowercased().hasPrefix("trace") }
    }

    private static func identifiers() -> Identifiers { Identifiers(random: IdentifierSource(seed: 1, 1)) }

    @Test func parentIsReplacedAndStateStays() throws {
        var identifiers = Self.identifiers()
        let lines = ["traceparent: 00-\(trace)-\(parent)-01", "tracestate: a=b", "Tracestate: c=d"]
        let own = "traceparent: 00-000000000000000a000000000000000b-000000000000000c-01"
        #expect(try Self.forwarded(lines, &identifiers) == ["tracestate: a=b", "Tracestate: c=d", own])
        #expect(String(decoding: identifiers.traceID, as: UTF8.self) == "000000000000000a000000000000000b")
        #expect(try Self.forwarded(lines, &identifiers, keepsState: false) == [own])
    }

    @Test func decisionNotToRecordGoesOn() throws {
        var identifiers = Self.identifiers()
        let lines = try Self.forwarded(["traceparent: 00-\(trace)-\(parent)-01"], &identifiers, isSampled: false)
        #expect(lines == ["traceparent: 00-000000000000000a000000000000000b-000000000000000c-00"])
    }

    @Test("the next request of the event loop is not touched by it")
    func nextRequest() throws {
        var identifiers = Self.identifiers()
        _ = try Self.forwarded([], &identifiers)
        let kept = ["traceparent: 00-\(trace)-\(parent)-01", "tracestate: a=b"]
        #expect(try Self.forwarded(kept, &identifiers, keepsState: nil) == kept)
        _ = try Self.forwarded([], &identifiers)
        let own = try #require(try Self.forwarded(["tracestate: a=b"], &identifiers, keepsState: nil).first)
        #expect(own.hasSuffix("-00"))
        #expect(!own.contains("000000000000000a000000000000000b"))
        #expect(!own.contains("000000000000000c"))
    }

    @Test func numbersAreThoseOfTheText() throws {
        var identifiers = Self.identifiers()
        _ = try Self.forwarded(["traceparent: 00-\(trace)-\(parent)-01"], &identifiers, keepsState: nil)
        #expect(identifiers.trace == (0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c))
        let own = try #require(try Self.forwarded([], &identifiers, keepsState: nil).first)
        let text = Array(own.dropFirst("traceparent: ".utf8.count).utf8)
        let read = TraceContext(traceparent: text.span.bytes)
        let context = try #require(read)
        #expect(identifiers.trace == (context.traceHigh, context.traceLow))
    }
}
