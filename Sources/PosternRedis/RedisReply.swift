/// What Redis answers to a command, in version 2 of its protocol (RESP2).
public enum RedisReply: Equatable, Sendable {
    /// A bulk string: any bytes.
    case string([UInt8])
    /// A status such as `OK` or `PONG`.
    case status(String)
    case integer(Int64)
    /// Never deeper than ``RedisLimits/depth``.
    case array([RedisReply])
    /// There is no such value.
    case null
    /// Redis refused the command. The text begins with a code in capitals (`ERR`, `WRONGTYPE`, `READONLY` …) and may
    /// repeat parts of the command: it must not be logged as it is.
    case error(String)
}

/// Why a command has no reply.
public enum RedisFailure: Error, Equatable, Sendable {
    /// Nothing was sent: there is no connection in use, or too much is waiting on it.
    case unavailable
    /// No answer came within the timeout; the command may or may not have been carried out.
    case timedOut
    /// Something came that is no RESP2, or that is over the limits; the command may or may not have been carried out.
    case protocolError
    /// The connection was closed; the command may or may not have been carried out.
    case closed
}

/// How large a reply may be. What goes beyond ends the connection with ``RedisFailure/protocolError``.
public enum RedisLimits {
    /// Octets of one reply, as they come over the wire.
    public static let bytes = 2 * 1024 * 1024
    /// Elements of one reply, those of inner arrays counted too.
    public static let elements = 262_144
    /// Arrays inside each other.
    public static let depth = 7
    /// Commands that may wait for their replies on one connection.
    public static let waiting = 16_384
    /// Octets of commands that may wait for their replies on one connection.
    public static let waitingBytes = 32 * 1024 * 1024
}

extension RedisReply {
    /// The code of an error: its first word if that is made of capitals, digits, `-` and `_`, else `ERR`. Unlike the
    /// whole text it is safe to log.
    public static func code(ofError text: String) -> String {
        let word = text.utf8.prefix { $0 != UInt8(ascii: " ") }
        let isCode = word.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isCode, !word.isEmpty, word.count <= 32 else { return "ERR" }
        return String(decoding: word, as: UTF8.self)
    }

    /// The text of a string or status; nil for anything else, and for bytes that are no UTF-8.
    var text: String? {
        switch self {
        case .string(let bytes): String(validating: bytes, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    var array: [RedisReply]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}
