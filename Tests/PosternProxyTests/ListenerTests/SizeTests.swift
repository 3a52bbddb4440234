import NIOCore
import PosternCore
import Testing

@testable import PosternProxy

/// What a connection holds while it is idle, and what goes through pipelines by value. The bounds leave some room: a
/// test that fails means that somebody should look, and say why more is needed.
@Suite struct SizeTests {
    /// An existential of NIO keeps up to three words inline; a larger buffer would be boxed at every read and write.
    @Test func bufferGoesThroughAPipelineWithoutABox() {
        #expect(MemoryLayout<ByteBuffer>.size <= 24)
    }

    /// Whatever the handlers of the path of a request take from their pipelines and give to them is that buffer.
    @Test func nothingButBuffersGoesThroughAPipeline() {
        #expect(DownstreamHandler.InboundIn.self == ByteBuffer.self)
        #expect(DownstreamHandler.OutboundIn.self == ByteBuffer.self)
        #expect(DownstreamHandler.OutboundOut.self == ByteBuffer.self)
        #expect(UpstreamHandler.InboundIn.self == ByteBuffer.self)
        #expect(UpstreamHandler.OutboundIn.self == ByteBuffer.self)
        #expect(UpstreamHandler.OutboundOut.self == ByteBuffer.self)
        #expect(OverloadedHandler.OutboundOut.self == ByteBuffer.self)
    }

    /// What the machines tell the handlers is returned in registers.
    @Test func actionsStaySmall() {
        #expect(MemoryLayout<Exchange.Action>.size == 2)
        #expect(MemoryLayout<UpstreamPool.Action>.size == 17)
    }

    @Test(arguments: [
        ("the machine of an exchange", MemoryLayout<Exchange>.size, 48),
        ("the record of a request", MemoryLayout<ExchangeRecord>.size, 96),
        ("the texts of a request", MemoryLayout<ExchangeTexts>.size, 32),
        ("the reader of a body", MemoryLayout<BodyDecoder>.size, 96),
        ("the reader of a head", MemoryLayout<HeadScanner?>.size, 64),
        ("the rules of a route", MemoryLayout<RouteRules?>.size, 64),
        ("why a request is refused", MemoryLayout<Refusal?>.size, 96),
    ])
    func partOfAConnectionStaysSmall(row: (String, Int, Int)) {
        #expect(row.1 <= row.2, "\(row.0)")
    }

    @Test func permitIsANumber() {
        #expect(MemoryLayout<Permit>.size <= 8)
    }
}
