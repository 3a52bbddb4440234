// Header names as services read them: case ignored, and `_` read as `-`, since CGI and its heirs make both the same
// variable.

extension UInt8 {
    /// The byte with an upper-case letter made lower-case and `_` made `-`.
    @inline(__always)
    var foldedNameByte: UInt8 {
        self == UInt8(ascii: "_") ? UInt8(ascii: "-") : self.asciiLowercased
    }
}

extension RawSpan {
    /// Whether the bytes, folded, are exactly `folded`, which is folded already.
    func equalsFolded(_ folded: RawSpan) -> Bool {
        let count = self.byteCount
        guard count == folded.byteCount else { return false }
        var i = 0
        while i < count {
            if self.byte(i).foldedNameByte != folded.byte(i) { return false }
            i &+= 1
        }
        return true
    }

    /// Whether the bytes from `offset`, folded, begin with `folded`. The caller knows that there are as many.
    @inline(__always)
    func beginsFolded(_ folded: StaticString, at offset: Int) -> Bool {
        folded.withUTF8Buffer { expected in
            for i in 0..<expected.count where self.byte(offset &+ i).foldedNameByte != expected[i] { return false }
            return true
        }
    }
}
