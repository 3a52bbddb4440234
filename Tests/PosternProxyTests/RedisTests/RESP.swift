import NIOCore

/// What a Redis says (RESP2).
indirect enum RESP: Sendable {
    case status(String)
    case error(String)
    case integer(Int)
    case octets([UInt8])
    case null
    case array([RESP])

    static func bulk(_ text: String) -> RESP { .octets(Array(text.utf8)) }

    var bytes: [UInt8] {
        switch self {
        case .status(let text): Array("+\(text)\r\n".utf8)
        case .error(let text): Array("-\(text)\r\n".utf8)
        case .integer(let number): Array(":\(number)\r\n".utf8)
        case .octets(let octets): Array("$\(octets.count)\r\n".utf8) + octets + Array("\r\n".utf8)
        case .null: Array("$-1\r\n".utf8)
        case .array(let parts): Array("*\(parts.count)\r\n".utf8) + parts.flatMap(\.bytes)
        }
    }

    /// Takes a whole command off the front; nil if there is none yet.
    static func command(_ buffer: inout ByteBuffer) -> [[UInt8]]? {
        var rest = buffer
        guard let count = Self.number(&rest, after: "*") else { return nil }
        var words: [[UInt8]] = []
        for _ in 0..<count {
            guard let length = Self.number(&rest, after: "$"), let word = rest.readBytes(length: length),
                rest.readSlice(length: 2) != nil
            else { return nil }
            words.append(word)
        }
        buffer = rest
        return words
    }

    private static func number(_ buffer: inout ByteBuffer, after mark: String) -> Int? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\r")),
            let line = buffer.readString(length: end - buffer.readerIndex), buffer.readSlice(length: 2) != nil,
            line.hasPrefix(mark)
        else { return nil }
        return Int(line.dropFirst())
    }
}
