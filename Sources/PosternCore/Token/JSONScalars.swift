// Strings and numbers of the JSON reader.

extension JSONCursor {
    /// A string; the cursor stands on its opening quote.
    mutating func string(_ bytes: RawSpan) throws(JSONProblem) -> String {
        let start = self.position + 1
        let end = self.end
        var i = start
        var isASCII = true
        while i < end {
            if i &+ 8 <= end {
                let others = Self.remarkable(bytes.word(i))
                i &+= others == 0 ? 8 : others.trailingZeroBitCount / 8
                if others == 0 { continue }
            }
            let byte = bytes.byte(i)
            if byte == UInt8(ascii: "\"") {
                self.position = i + 1
                return try self.text(bytes.extracting(start..<i), isASCII: isASCII, at: start)
            }
            if byte == UInt8(ascii: "\\") { return try self.escapedString(bytes, start: start) }
            if byte < 0x20 {
                self.position = i
                throw self.problem(.badString)
            }
            if byte >= 0x80 { isASCII = false }
            i &+= 1
        }
        self.position = self.end
        throw self.problem(.unexpectedEnd)
    }

    /// The high bit of each byte that is a quote, a backslash, a control character or not ASCII; bits above the lowest one
    /// that is set may be set by mistake, because a borrow goes upwards.
    @inline(__always)
    private static func remarkable(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high: UInt64 = 0x8080_8080_8080_8080
        let quote = (word ^ ones &* 0x22) &- ones
        let backslash = (word ^ ones &* 0x5C) &- ones
        let below = word &- ones &* 0x20
        // A byte from 0x80 on is one of them anyway, so that it does not matter what the others say of it.
        return (quote | backslash | below | word) & high
    }

    private func text(_ octets: RawSpan, isASCII: Bool, at offset: Int) throws(JSONProblem) -> String {
        if isASCII { return octets.string() }
        guard let text = octets.validatedString() else {
            throw JSONProblem(kind: .badEncoding, offset: offset)
        }
        return text
    }

    private mutating func escapedString(_ bytes: RawSpan, start: Int) throws(JSONProblem) -> String {
        var octets: [UInt8] = []
        self.position = start
        while true {
            let byte = try self.peek(bytes)
            switch byte {
            case UInt8(ascii: "\""):
                self.position += 1
                return try self.text(octets.span.bytes, isASCII: false, at: start)
            case UInt8(ascii: "\\"):
                self.position += 1
                try self.escape(bytes, into: &octets)
            case 0..<0x20:
                throw self.problem(.badString)
            default:
                octets.append(byte)
                self.position += 1
            }
        }
    }

    /// What follows a backslash.
    private mutating func escape(_ bytes: RawSpan, into octets: inout [UInt8]) throws(JSONProblem) {
        let byte = try self.peek(bytes)
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): octets.append(byte)
        case UInt8(ascii: "b"): octets.append(0x08)
        case UInt8(ascii: "f"): octets.append(0x0C)
        case UInt8(ascii: "n"): octets.append(0x0A)
        case UInt8(ascii: "r"): octets.append(0x0D)
        case UInt8(ascii: "t"): octets.append(0x09)
        case UInt8(ascii: "u"):
            var code = try self.fourHexDigits(bytes)
            if (0xD800..<0xDC00).contains(code) {
                guard try self.peek(bytes) == UInt8(ascii: "\\") else { throw self.problem(.badString) }
                self.position += 1
                guard try self.peek(bytes) == UInt8(ascii: "u") else { throw self.problem(.badString) }
                self.position += 1
                let low = try self.fourHexDigits(bytes)
                guard (0xDC00..<0xE000).contains(low) else { throw self.problem(.badString) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw self.problem(.badString) }
            octets.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default: throw self.problem(.badString)
        }
    }

    private mutating func fourHexDigits(_ bytes: RawSpan) throws(JSONProblem) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            let byte = try self.peek(bytes)
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(byte - 0x41 + 10)
            case 0x61...0x66: code = code << 4 | UInt32(byte - 0x61 + 10)
            default: throw self.problem(.badString)
            }
            self.position += 1
        }
        return code
    }

    /// A number; the cursor stands on its first character.
    mutating func number(_ bytes: RawSpan) throws(JSONProblem) -> JSONValue {
        let start = self.position
        let negative = bytes.byte(start) == UInt8(ascii: "-")
        if negative { self.position += 1 }
        let first = try self.digits(bytes)
        guard first.count == 1 || !first.leadingZero else { throw self.problem(.badNumber) }
        var isInteger = true
        if self.position < self.end, bytes.byte(self.position) == UInt8(ascii: ".") {
            isInteger = false
            self.position += 1
            _ = try self.digits(bytes)
        }
        if self.position < self.end, bytes.byte(self.position) | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            self.position += 1
            if self.position < self.end {
                let sign = bytes.byte(self.position)
                if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { self.position += 1 }
            }
            _ = try self.digits(bytes)
        }
        let text = bytes.extracting(start..<self.position).string()
        // Up to fifteen digits an integer is exact in a Double, and no general conversion is needed.
        if isInteger, first.count <= 15 {
            let magnitude = Double(first.value)
            return .number(negative ? -magnitude : magnitude, text: text)
        }
        guard let value = Double(text), value.isFinite else { throw self.problem(.badNumber) }
        return .number(value, text: text)
    }

    /// At least one digit; the value counts for up to fifteen.
    private mutating func digits(
        _ bytes: RawSpan
    ) throws(JSONProblem) -> (count: Int, leadingZero: Bool, value: UInt64) {
        let start = self.position
        var value: UInt64 = 0
        while self.position < self.end {
            let digit = bytes.byte(self.position) &- 0x30
            guard digit < 10 else { break }
            value = value &* 10 &+ UInt64(digit)
            self.position &+= 1
        }
        guard self.position > start else { throw self.problem(.badNumber) }
        return (self.position - start, bytes.byte(start) == 0x30, value)
    }
}
