import PosternCore
import PosternCrypto

/// The handshake of a WebSocket over HTTP/1.1 that the proxy makes for a client that has none (RFC 8441 section 5).
enum WebSocketKey {
    /// A new key: 16 random bytes in base64 (RFC 6455 section 4.1).
    static func make() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return Self.base64((0..<16).map { _ in UInt8.random(in: 0 ... .max, using: &generator) })
    }

    /// What a service answers to `key` (RFC 6455 section 4.2.2).
    static func accept(_ key: [UInt8]) -> [UInt8] {
        Self.base64(Digest.sha1(key + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
    }

    /// Plain base64 with padding (RFC 4648 section 4).
    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        var text = Base64URL.encode(bytes).utf8.map { character in
            switch character {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: character
            }
        }
        while !text.count.isMultiple(of: 4) { text.append(UInt8(ascii: "=")) }
        return text
    }
}
