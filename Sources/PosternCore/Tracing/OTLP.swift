/// The OpenTelemetry Protocol's messages for traces (opentelemetry.proto.trace.v1), in the binary encoding that every receiver of
/// OTLP over HTTP takes.
public enum OTLP {
    /// Bytes of a text in a span: what a client sends is cut off there.
    public static let textLimit = 1024
    /// Bytes of a `tracestate` that is exported.
    static let stateLimit = 512

    /// One span.
    public static func encode(_ span: SpanRecord) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.bytes(1, Self.traceID(span.context))
        writer.bytes(2, Self.spanID(span.context.span))
        if span.state.count <= Self.stateLimit { writer.bytes(3, span.state) }
        if span.parent != 0 { writer.bytes(4, Self.spanID(span.parent)) }
        writer.string(5, Self.cut(span.name))
        writer.unsigned(6, span.kind.rawValue)
        writer.fixed64(7, span.start)
        writer.fixed64(8, span.end)
        Self.write(span.attributes, 9, &writer)
        for event in span.events {
            writer.message(11) {
                $0.fixed64(1, event.time)
                $0.string(2, Self.cut(event.name))
                Self.write(event.attributes, 3, &$0)
            }
        }
        for link in span.links {
            writer.message(13) {
                $0.bytes(1, Self.traceID(link.context))
                $0.bytes(2, Self.spanID(link.context.span))
                Self.write(link.attributes, 4, &$0)
                $0.fixed32(6, Self.flags(link.context, isRemote: nil))
            }
        }
        Self.write(span.status, &writer)
        writer.fixed32(16, Self.flags(span.context, isRemote: span.parentIsRemote))
        return writer.bytes
    }

    /// The body of a request to export spans.
    ///
    /// - Parameters:
    ///   - spans: as `encode` wrote them.
    ///   - resource: whose they are.
    ///   - version: Postern's.
    public static func request(
        _ spans: [[UInt8]], resource: [String: SpanRecord.Value], version: String
    ) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(1) { resourceSpans in
            resourceSpans.message(1) { Self.write(resource, 1, &$0) }
            resourceSpans.message(2) { scopeSpans in
                scopeSpans.message(1) {
                    $0.string(1, "postern")
                    $0.string(2, version)
                }
                for span in spans { scopeSpans.message(2, written: span) }
            }
        }
        return writer.bytes
    }

    /// How many spans a receiver says it did not take although it took the request (`partial_success`); 0 if it says nothing
    /// that makes sense.
    public static func rejectedSpans(in response: [UInt8]) -> Int {
        var outer = ProtobufReader(response[...])
        while let (field, value) = outer.next() {
            guard field == 1, case .bytes(let partial) = value else { continue }
            var inner = ProtobufReader(partial)
            while let (field, value) = inner.next() {
                guard field == 1, case .number(let count) = value else { continue }
                return Int(exactly: count) ?? 0
            }
        }
        return 0
    }

    // MARK: - Parts

    private static func traceID(_ context: TraceContext) -> [UInt8] {
        Self.bigEndian(context.traceHigh) + Self.bigEndian(context.traceLow)
    }

    private static func spanID(_ span: UInt64) -> [UInt8] { Self.bigEndian(span) }

    private static func bigEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
    }

    /// W3C flags, and whether the parent is remote, if that is known.
    private static func flags(_ context: TraceContext, isRemote: Bool?) -> UInt32 {
        let own: UInt32 = context.isSampled ? 1 : 0
        guard let isRemote else { return own }
        return own | 0x100 | (isRemote ? 0x200 : 0)
    }

    private static func write(_ status: SpanRecord.Status, _ writer: inout ProtobufWriter) {
        switch status {
        case .unset: break
        case .ok: writer.message(15) { $0.unsigned(3, 1) }
        case .error(let message):
            writer.message(15) {
                $0.string(2, Self.cut(message))
                $0.unsigned(3, 2)
            }
        }
    }

    /// In the order of their names: the same span is the same bytes.
    private static func write(
        _ attributes: [String: SpanRecord.Value], _ field: UInt64, _ writer: inout ProtobufWriter
    ) {
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
            writer.message(field) {
                $0.string(1, name)
                $0.message(2) { Self.write(value, &$0) }
            }
        }
    }

    private static func write(_ value: SpanRecord.Value, _ writer: inout ProtobufWriter) {
        switch value {
        // An empty text says something, too: it is written like a message.
        case .string(let text): writer.message(1, written: Array(Self.cut(text).utf8))
        case .bool(let bool): writer.anyway(2, bool ? 1 : 0)
        case .int(let number): writer.anyway(3, UInt64(bitPattern: number))
        case .double(let number): writer.fixed64(4, number.bitPattern)
        case .array(let items):
            writer.message(5) { array in
                for item in items { array.message(1) { Self.write(item, &$0) } }
            }
        }
    }

    /// A text within `textLimit`, no character cut in two.
    static func cut(_ text: String) -> String {
        guard text.utf8.count > Self.textLimit else { return text }
        let end = text.utf8.index(text.utf8.startIndex, offsetBy: Self.textLimit)
        var last = end
        while last.samePosition(in: text.unicodeScalars) == nil { last = text.utf8.index(before: last) }
        return String(text[..<last])
    }
}
