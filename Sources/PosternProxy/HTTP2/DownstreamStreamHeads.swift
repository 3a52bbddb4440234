import NIOCore
import NIOHPACK
import PosternCore

/// The memory in which one event loop makes the heads of streams: requests to HTTP/1.1, responses from it.
final class DownstreamStreamHeads {
    private var request = DownstreamRequestHead()
    private var response = DownstreamResponseHead()
    private var bytes: [UInt8] = []
    /// The fields that were made last, but for those of HTTP/2 itself, encoded.
    private var raw: [UInt8] = []
    /// The library's part of the head of a response with such a status.
    private var status = (code: 0, fields: HPACKHeaders())

    /// The fields that were made last, but for those of HTTP/2 itself: as they stand in a field block, without a table (see
    /// `RawFields`).
    func takeRaw() -> [UInt8] {
        let raw = self.raw
        self.raw = []
        return raw
    }

    /// Makes a head of HTTP/1.1 of a request's fields.
    ///
    /// - Parameter webSocketKey: for a stream that asks to become a WebSocket.
    func makeRequest(
        _ fields: HPACKHeaders, endsStream: Bool, webSocketKey: () -> [UInt8]
    ) throws(HTTP2Malformation) -> (ByteBuffer, DownstreamRequestHead.Facts) {
        self.request.begin()
        for field in fields { try self.request.add(field.name, field.value) }
        self.bytes.removeAll(keepingCapacity: self.bytes.capacity <= 16 * 1024)
        let facts = try self.request.finish(endsStream: endsStream, webSocketKey: webSocketKey, into: &self.bytes)
        return (ByteBuffer(bytes: self.bytes), facts)
    }

    /// Reads on in a response.
    func next(_ response: inout DownstreamResponse, _ bytes: RawSpan) -> DownstreamResponse.Step {
        response.next(bytes, head: &self.response)
    }

    /// The fields of the head that was read last, for a stream.
    ///
    /// - Parameters:
    ///   - bytes: those that the head was read from.
    ///   - acceptsWebSocket: the head is a 101: what only HTTP/1.1 needs to agree on a WebSocket is left out (RFC 8441
    ///     section 5).
    func responseFields(_ bytes: RawSpan, status: Int, acceptsWebSocket: Bool = false) -> HPACKHeaders {
        if self.status.code != status { self.status = (status, [":status": String(status)]) }
        var raw: [UInt8] = []
        raw.reserveCapacity(bytes.byteCount)
        self.response.forEachField(bytes) { name, value in
            if acceptsWebSocket, name.equalsIgnoringCase("sec-websocket-accept") { return }
            FieldBlock.append(name, value, to: &raw)
        }
        self.raw = raw
        return self.status.fields
    }

    /// The value of Sec-WebSocket-Accept in the head that was read last; nil if it is not there once.
    func webSocketAccept(_ bytes: RawSpan) -> [UInt8]? {
        var found: [[UInt8]] = []
        self.response.forEachField(bytes) { name, value in
            if name.equalsIgnoringCase("sec-websocket-accept") { found.append(value.array()) }
        }
        return found.count == 1 ? found[0] : nil
    }

    /// The fields of a trailer section; the library knows of none of them.
    func trailerFields(_ lines: [UInt8]) -> HPACKHeaders {
        var raw: [UInt8] = []
        DownstreamTrailers.forEach(lines) { FieldBlock.append($0, $1, to: &raw) }
        self.raw = raw
        return HPACKHeaders()
    }
}
