// The check of a path (2-configuration, Routes): what different servers read differently is refused.

extension CheckedTarget {
    /// Checks the path from `start` and returns where it ends: at `?` or at `limit`.
    mutating func checkPath(
        _ bytes: RawSpan, from start: Int, limit: Int, options: TargetOptions
    ) throws(TargetProblem) -> Int {
        // One bit for each byte below 0x40 that needs no look: 0x21 to 0x3F but for `#`, `%`, `/`, `;` and `?`.
        let plain: UInt64 = 0x77FF_7FD6_0000_0000
        var i = start
        while i < limit {
            let byte = bytes.byte(i)
            if byte < 0x40 ? (plain &>> UInt64(byte)) & 1 != 0 : byte < 0x7F && byte != UInt8(ascii: "\\") {
                i &+= 1
            } else if byte == UInt8(ascii: "/") {
                i &+= 1
                try Self.checkSegmentStart(bytes, at: i, limit: limit, options: options)
            } else if byte == UInt8(ascii: "?") {
                break
            } else {
                i = try self.checkUnusual(bytes, at: i, limit: limit, options: options)
            }
        }
        return i
    }

    /// Looks at what follows a `/`: the segment there may be neither empty (but for the last one) nor a dot segment.
    @inline(__always)
    private static func checkSegmentStart(
        _ bytes: RawSpan, at start: Int, limit: Int, options: TargetOptions
    ) throws(TargetProblem) {
        guard start < limit else { return }
        switch bytes.byte(start) {
        case UInt8(ascii: "/"):
            if !options.allowEmptySegments { throw .ambiguous(.emptySegment) }
        case UInt8(ascii: ";"):
            // A server that cuts parameters off reads `/;a/` as `//`.
            if options.allowSemicolon, !options.allowEmptySegments { throw .ambiguous(.emptySegment) }
        case UInt8(ascii: "."), UInt8(ascii: "%"):
            if Self.isDotSegment(bytes, at: start, limit: limit) { throw .ambiguous(.dotSegment) }
        default:
            break
        }
    }

    /// Whether one or two dots (`.` or `%2e`) stand at `start` with the end of a segment after them, as the most lenient
    /// reader sees it: the path's end, `/`, `?`, `;` or `%2F`.
    @inline(never)
    private static func isDotSegment(_ bytes: RawSpan, at start: Int, limit: Int) -> Bool {
        var i = start
        var dots = 0
        while i < limit, dots < 3 {
            let (byte, next) = bytes.decodedByte(i, limit: limit)
            guard byte == UInt8(ascii: ".") else { break }
            i = next
            dots &+= 1
        }
        guard dots == 1 || dots == 2 else { return false }
        guard i < limit else { return true }
        switch bytes.byte(i) {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: ";"): return true
        default: return bytes.escapedByte(i, limit: limit) == UInt8(ascii: "/")
        }
    }

    /// Handles a byte that is neither plain nor `/` nor `?`; returns where to go on.
    @inline(never)
    private mutating func checkUnusual(
        _ bytes: RawSpan, at start: Int, limit: Int, options: TargetOptions
    ) throws(TargetProblem) -> Int {
        switch bytes.byte(start) {
        case UInt8(ascii: "%"):
            self.hasEscapes = true
            return try Self.checkEscape(bytes, at: start, limit: limit, options: options)
        case UInt8(ascii: ";"):
            if !options.allowSemicolon { throw .ambiguous(.semicolon) }
            return start &+ 1
        case UInt8(ascii: "\\"):
            throw .ambiguous(.backslash)
        case UInt8(ascii: "#"):
            throw .ambiguous(.fragment)
        case UInt8(ascii: " "):
            throw .malformed
        case ..<0x20:
            throw .ambiguous(.controlCharacter)
        default:
            throw .ambiguous(.rawByte)
        }
    }

    /// Checks the escape at `start`, together with the rest of its UTF-8 sequence; returns the end of the sequence.
    private static func checkEscape(
        _ bytes: RawSpan, at start: Int, limit: Int, options: TargetOptions
    ) throws(TargetProblem) -> Int {
        guard let first = bytes.escapedByte(start, limit: limit) else { throw .ambiguous(.invalidEscape) }
        let next = start &+ 3
        switch first {
        case 0..<0x20, 0x7F:
            throw .ambiguous(.controlCharacter)
        case UInt8(ascii: "\\"):
            throw .ambiguous(.encodedBackslash)
        case UInt8(ascii: "/"):
            if !options.allowEncodedSlash { throw .ambiguous(.encodedSlash) }
            if Self.isDotSegment(bytes, at: next, limit: limit) { throw .ambiguous(.dotSegment) }
            return next
        case ..<0x80:
            return next
        default:
            return try Self.checkUTF8(bytes, first: first, at: next, limit: limit)
        }
    }

    /// Checks that the escapes from `start` complete the sequence that `first` (0x80 or more) begins: the well-formed
    /// sequences of the Unicode standard (table 3-7), which leaves out overlong forms and surrogates.
    private static func checkUTF8(
        _ bytes: RawSpan, first: UInt8, at start: Int, limit: Int
    ) throws(TargetProblem) -> Int {
        let more: Int
        var lowest: UInt8 = 0x80
        var highest: UInt8 = 0xBF
        switch first {
        case 0xC2...0xDF: more = 1
        case 0xE0...0xEF:
            more = 2
            if first == 0xE0 { lowest = 0xA0 }
            if first == 0xED { highest = 0x9F }
        case 0xF0...0xF4:
            more = 3
            if first == 0xF0 { lowest = 0x90 }
            if first == 0xF4 { highest = 0x8F }
        default: throw .ambiguous(.invalidUTF8)
        }
        var i = start
        for position in 0..<more {
            guard i < limit, bytes.byte(i) == UInt8(ascii: "%") else { throw .ambiguous(.invalidUTF8) }
            guard let byte = bytes.escapedByte(i, limit: limit) else { throw .ambiguous(.invalidEscape) }
            guard byte >= lowest, byte <= highest else { throw .ambiguous(.invalidUTF8) }
            if first == 0xC2, position == 0, byte < 0xA0 { throw .ambiguous(.controlCharacter) }
            lowest = 0x80
            highest = 0xBF
            i &+= 3
        }
        return i
    }
}
