import PosternCore
import PosternCrypto

/// What a client that asked for a WebSocket over HTTP/1.1 looks for in the answer. A service that is asked over HTTP/2 does
/// not make it (RFC 8441 section 5).
enum WebSocketAccept {
    /// The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 section 4.2.2).
    static func value(for key: [UInt8]) -> [UInt8] {
        Array(Base64.encode(Digest.sha1(key + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))).utf8)
    }
}
