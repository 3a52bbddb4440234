import PosternCore
import Testing

private let trace = "0af7651916cd43dd8448eb211c80319c"
private let parent = "b7ad6b7169203331"

@Suite struct UpstreamIdentifierTests {
    private static func head(_ lines: [String]) -> String {
        "GET /x HTTP/1.1\r\nHost: a\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    private static func values(_ name: String, _ result: Composition.Result) -> [String] {
        result.lines.compactMap { line in
            let parts = line.split(separator: ": ", maxSplits: 1)
            return parts.count == 2 && parts[0].lowercased() == name ? String(parts[1]) : nil
        }
    }

    @Test(
        "request ids that are kept",
        arguments: ["a", "A-z_0.9", String(repeating: "x", count: 128), "-", "..", "0"])
    func keptRequestID(_ id: String) throws {
        let result = try Composition().compose(Self.head(["x-request-ID: \(id)"]))
        #expect(Self.values("x-request-id", result) == [id])
        #expect(result.requestID == id)
    }

    @Test(
        "request ids that are replaced",
        arguments: [
            "", String(repeating: "x", count: 129), "a b", "a/b", "a,b", "a\"b", "é", "a:b", "a\tb", "a=b", "{a}",
            "a%20",
        ])
    func replacedRequestID(_ id: String) throws {
        let result = try Composition().compose(Self.head(["X-Request-Id: \(id)"]))
        let values = Self.values("x-request-id", result)
        #expect(values == [result.requestID])
        #expect(result.requestID.utf8.count == 32)
        #expect(result.requestID.allSatisfy { $0.isHexDigit && !$0.isUppercase })
    }

    @Test("request ids that come twice are both replaced by one")
    func repeatedRequestID() throws {
        let result = try Composition().compose(Self.head(["X-Request-Id: a", "x-request-id: a"]))
        #expect(Self.values("x-request-id", result) == [result.requestID])
        #expect(result.requestID != "a")
    }

    @Test(
        "trace contexts that are kept, with their state",
        arguments: [
            "00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-00", "01-\(trace)-\(parent)-01",
            "cc-\(trace)-\(parent)-01-more", "fe-\(trace)-\(parent)-ff-",
        ])
    func keptTrace(_ value: String) throws {
        let result = try Composition().compose(Self.head(["traceparent: \(value)", "tracestate: a=b"]))
        #expect(Self.values("traceparent", result) == [value])
        #expect(Self.values("tracestate", result) == ["a=b"])
        #expect(result.traceID == trace)
    }

    @Test(
        "trace contexts that are replaced, and their state with them",
        arguments: [
            "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-0", "00-\(trace)-\(parent)-011",
            "00-\(trace)-\(parent)-01-more", "ff-\(trace)-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01",
            "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
            "00_\(trace)-\(parent)-01", "00-\(trace)_\(parent)-01", "00-\(trace)-\(parent)_01",
            "0-\(trace)-\(parent)-01",
            "00-\(trace.dropLast())g-\(parent)-01", "01-\(trace)-\(parent)-01more", "0G-\(trace)-\(parent)-01",
            "00-\(trace)-\(parent)-0A", "01-\(trace)-\(parent)-01-\(String(repeating: "x", count: 500))",
        ])
    func replacedTrace(_ value: String) throws {
        let result = try Composition().compose(Self.head(["traceparent: \(value)", "tracestate: a=b"]))
        let values = Self.values("traceparent", result)
        #expect(values.count == 1)
        #expect(Self.values("tracestate", result) == [])
        let parts = try #require(values.first).split(separator: "-", omittingEmptySubsequences: false)
        #expect(parts.map(\.count) == [2, 32, 16, 2])
        #expect(String(parts[1]) == result.traceID)
        #expect(parts[0] == "00" && parts[3] == "00")
        #expect(parts.joined().allSatisfy { $0.isHexDigit && !$0.isUppercase })
        #expect(parts[1].contains { $0 != "0" } && parts[2].contains { $0 != "0" })
        #expect(result.traceID != trace)
    }

    @Test("a trace context that comes twice is replaced")
    func repeatedTrace() throws {
        let line = "traceparent: 00-\(trace)-\(parent)-01"
        let result = try Composition().compose(Self.head([line, line, "tracestate: a=b"]))
        #expect(Self.values("traceparent", result).count == 1)
        #expect(result.traceID != trace)
        #expect(Self.values("tracestate", result) == [])
    }

    @Test("ids that are made are never the same twice, in one process or two")
    func madeIDsDiffer() {
        var seen: Set<[UInt8]> = []
        for seed in 0..<4 as Range<UInt64> {
            var identifiers = Identifiers(random: IdentifierSource(seed: seed, seed))
            for _ in 0..<1_000 {
                identifiers.assignNew()
                seen.insert(identifiers.requestID)
            }
        }
        #expect(seen.count == 4_000)
    }

    @Test("a head that could not be read leaves nothing of the request before in the ids")
    func assignNewForgets() throws {
        let read = try #require(
            try readRequest(Self.head(["X-Request-Id: a", "traceparent: 00-\(trace)-\(parent)-01"])))
        var identifiers = Identifiers(random: IdentifierSource(seed: 1, 2))
        identifiers.assign(read.bytes.span.bytes, read.head)
        #expect(identifiers.keptRequestID && identifiers.keptTrace)
        identifiers.assignNew()
        #expect(!identifiers.keptRequestID && !identifiers.keptTrace)
        #expect(identifiers.requestID.count == 32)
        #expect(identifiers.requestID != Array("a".utf8))
    }
}
