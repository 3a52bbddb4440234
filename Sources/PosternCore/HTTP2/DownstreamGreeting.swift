/// What a client's connection of HTTP/2 begins with: the preface and its settings (RFC 9113 section 3.4).
public enum DownstreamGreeting {
    public enum Outcome: Equatable, Sendable {
        /// So far it may be one.
        case incomplete
        /// It has so many bytes.
        case complete(Int)
        /// It is none.
        case malformed
    }

    private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// Finds the end of the greeting that `bytes` begin with.
    public static func find(_ bytes: RawSpan) -> Outcome {
        let length = Self.preface.utf8CodeUnitCount
        let start = min(length, bytes.byteCount)
        let isPreface = Self.preface.withUTF8Buffer { expected in
            (0..<start).allSatisfy { bytes.byte($0) == expected[$0] }
        }
        guard isPreface else { return .malformed }
        guard bytes.byteCount >= length &+ 9 else { return .incomplete }
        let header = bytes.extracting(length..<(length &+ 9))
        let payload = Int(header.byte(0)) << 16 | Int(header.byte(1)) << 8 | Int(header.byte(2))
        // SETTINGS that are no answer to ours, in a frame of the usual size.
        guard header.byte(3) == 4, header.byte(4) & 1 == 0, payload <= 16384 else { return .malformed }
        let end = length &+ 9 &+ payload
        return bytes.byteCount >= end ? .complete(end) : .incomplete
    }
}
