import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct LogSinkTests {
    @Test(arguments: [true, false])
    func everythingIsWrittenInOrder(blocking: Bool) throws {
        let pipe = try LogPipe(blocking: blocking)
        let sink = LogSink(descriptor: pipe.writeEnd)
        let expected = (0..<2000).map { "line \($0) " + String(repeating: "x", count: $0 % 300) }
        for line in expected { sink.submit(Array("\(line)\n".utf8), lines: 1) }
        #expect(try pipe.lines(2000) == expected)
        #expect(sink.dropped == 0)
    }

    @Test(arguments: [true, false])
    func batchLargerThanThePipeIsWrittenWhole(blocking: Bool) throws {
        let pipe = try LogPipe(blocking: blocking)
        let sink = LogSink(descriptor: pipe.writeEnd)
        let line = String(repeating: "y", count: 200_000)
        sink.submit(Array("\(line)\n".utf8), lines: 1)
        sink.submit(Array("next\n".utf8), lines: 1)
        #expect(try pipe.lines(2) == [line, "next"])
    }

    /// The caller comes through although nobody reads; what was kept arrives whole, and every other line is counted.
    @Test(arguments: [true, false])
    func whatAReaderDoesNotTakeIsDroppedByWholeBatchesAndCounted(blocking: Bool) throws {
        let pipe = try LogPipe(blocking: blocking)
        let sink = LogSink(descriptor: pipe.writeEnd, limit: 16 * 1024)
        let batch = Array(String(repeating: String(repeating: "z", count: 99) + "\n", count: 10).utf8)
        for _ in 0..<500 { sink.submit(batch, lines: 10) }
        let dropped = Int(sink.dropped)
        // At most what may wait, what fills the pipe, and one batch between the two.
        #expect(dropped >= 5000 - (16 * 1024 + LogPipe.capacity + 1000) / 100)
        #expect(dropped % 10 == 0)
        let arrived = try pipe.lines(5000 - dropped)
        #expect(arrived.allSatisfy { $0.utf8.count == 99 })
        #expect(Int(sink.dropped) == dropped)
    }

    @Test func sinkTakesLinesAgainOnceTheReaderReads() async throws {
        let pipe = try LogPipe()
        let sink = LogSink(descriptor: pipe.writeEnd, limit: 8192)
        let batch = Array((String(repeating: "z", count: 1023) + "\n").utf8)
        for _ in 0..<200 { sink.submit(batch, lines: 1) }
        let dropped = Int(sink.dropped)
        #expect(dropped > 0)
        _ = try pipe.lines(200 - dropped)
        await sink.flush(seconds: 10)
        sink.submit(Array("again\n".utf8), lines: 1)
        #expect(try pipe.lines(1) == ["again"])
        #expect(Int(sink.dropped) == dropped)
    }

    @Test func batchOverTheLimitIsDropped() throws {
        let pipe = try LogPipe()
        let sink = LogSink(descriptor: pipe.writeEnd, limit: 10)
        sink.submit(Array("12345678901".utf8), lines: 3)
        #expect(sink.dropped == 3)
        sink.submit(Array("123456789\n".utf8), lines: 1)
        #expect(try pipe.lines(1) == ["123456789"])
    }

    @Test func linesThatNobodyCanReadAreCounted() async throws {
        let pipe = try LogPipe()
        pipe.closeReader()
        let sink = LogSink(descriptor: pipe.writeEnd)
        sink.submit(Array("lost\n".utf8), lines: 2)
        await sink.flush(seconds: 10)
        #expect(sink.dropped == 2)
    }

    @Test func flushWithNothingToWriteReturns() async throws {
        await LogSink(descriptor: try LogPipe().writeEnd).flush(seconds: 0)
    }
}
