/// The trace that a request belongs to, and the place of one span in it (W3C Trace Context).
public struct TraceContext: Equatable, Hashable, Sendable {
    /// The two halves of the trace's id; never both 0.
    public var traceHigh: UInt64
    public var traceLow: UInt64
    /// The span's id, which is the parent's for whoever gets this; never 0.
    public var span: UInt64
    /// Whether the span is recorded. Other flags are not defined, and are never passed on (section 3.2.2.5).
    public var isSampled: Bool

    public init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
    }

    /// Reads a `traceparent` (section 3.2); nil if it is not valid: then the trace starts anew. Of a version that is not known
    /// yet, what is known is read (section 4.3).
    public init?(traceparent text: RawSpan) {
        guard Self.isValid(text) else { return nil }
        self.init(
            traceHigh: Self.number(text, at: 3), traceLow: Self.number(text, at: 19), span: Self.number(text, at: 36),
            isSampled: Self.digit(text.byte(54)) & 1 == 1)
    }

    /// Whether a text is a `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`, lower-case, neither id all zeros; a higher version may
    /// go on after another `-`; version ff is invalid.
    static func isValid(_ text: RawSpan) -> Bool {
        guard text.byteCount >= 55, text.byteCount <= 512 else { return false }
        func isLowerHex(_ i: Int) -> Bool {
            let byte = text.byte(i)
            return isDigit(byte) || byte &- UInt8(ascii: "a") < 6
        }
        var anyTrace = false
        var anyParent = false
        for i in 0..<55 {
            switch i {
            case 2, 35, 52:
                guard text.byte(i) == UInt8(ascii: "-") else { return false }
            default:
                guard isLowerHex(i) else { return false }
                if i >= 3, i < 35, text.byte(i) != UInt8(ascii: "0") { anyTrace = true }
                if i >= 36, i < 52, text.byte(i) != UInt8(ascii: "0") { anyParent = true }
            }
        }
        guard anyTrace, anyParent else { return false }
        let version = text.extracting(0..<2)
        if version.equals("ff") { return false }
        if version.equals("00") { return text.byteCount == 55 }
        return text.byteCount == 55 || text.byte(55) == UInt8(ascii: "-")
    }

    /// The `traceparent` for whoever comes next, in version 00.
    public var traceparent: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(55)
        text.append("00-")
        text.append(hex: self.traceHigh)
        text.append(hex: self.traceLow)
        text.append("-")
        text.append(hex: self.span)
        text.append(self.isSampled ? "-01" : "-00")
        return text
    }

    /// The number that sixteen lower-case hexadecimal digits stand for. Other bytes give another number, and no error.
    static func number(_ text: RawSpan, at offset: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in offset..<(offset &+ 16) { value = value &<< 4 | UInt64(Self.digit(text.byte(i))) }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt8 {
        (isDigit(byte) ? byte &- UInt8(ascii: "0") : byte &- UInt8(ascii: "a") &+ 10) & 0xF
    }
}
