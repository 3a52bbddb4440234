import NIOCore
import NIOHPACK
import PosternCore

/// The memory in which one event loop makes the heads of streams: requests to HTTP/1.1, responses from it.
final class DownstreamStreamHeads {
    private var request = DownstreamRequestHead()
    private var response = DownstreamResponseHead()
    private var bytes: [UInt8] = []
    /// Of the fields that were made last, those that are no text, encoded.
    private var raw: [UInt8] = []

    /// Of the fields that were made last, those with values that are not UTF-8 (RFC 9110 section 5.5, obs-text): as they stand in
    /// a field block, without a table. The library has no place for them.
    func takeRaw() -> [UInt8] {
        guard !self.raw.isEmpty else { return [] }
        defer { self.raw = [] }
        return self.raw
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
        var fields = HPACKHeaders()
        fields.reserveCapacity(16)
        fields.add(name: ":status", value: String(status))
        self.response.forEachField(bytes) { name, value in
            if acceptsWebSocket, name.equalsIgnoringCase("sec-websocket-accept") { return }
            self.append(name, value, to: &fields)
        }
        return fields
    }

    /// The value of Sec-WebSocket-Accept in the head that was read last; nil if it is not there once.
    func webSocketAccept(_ bytes: RawSpan) -> [UInt8]? {
        var found: [[UInt8]] = []
        self.response.forEachField(bytes) { name, value in
            if name.equalsIgnoringCase("sec-websocket-accept") { found.append(value.array()) }
        }
        return found.count == 1 ? found[0] : nil
    }

    /// The fields of a trailer section.
    func trailerFields(_ lines: [UInt8]) -> HPACKHeaders {
        var fields = HPACKHeaders()
        DownstreamTrailers.forEach(lines) { self.append($0, $1, to: &fields) }
        return fields
    }

    /// Appends a field. Only what is the same in many responses goes into the client's table: entries are cheap to look
    /// through, and no client has the proxy remember what it makes up.
    private func append(_ name: RawSpan, _ value: RawSpan, to fields: inout HPACKHeaders) {
        guard let text = value.validatedString() else {
            return FieldBlock.append(name, value, to: &self.raw)
        }
        let isRepeated =
            value.byteCount <= 64
            && (name.equalsIgnoringCase("content-type") || name.equalsIgnoringCase("cache-control")
                || name.equalsIgnoringCase("server") || name.equalsIgnoringCase("vary"))
        fields.add(
            name: name.string().lowercased(), value: text, indexing: isRepeated ? .indexable : .nonIndexable)
    }
}
