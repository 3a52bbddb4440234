// What a gRPC client gets in place of a problem document. It looks for a status of its own in the trailers, and takes
// anything but HTTP's 200 for a fault of the network: so a refusal is a call that ends before it begins, "Trailers-Only".

extension RefusalCode {
    /// The gRPC status for a refusal. It follows gRPC's own table for what proxies answer ("HTTP to gRPC Status Code
    /// Mapping") wherever that has a word for the HTTP status, and "Status codes and their use in gRPC" where it has none:
    ///
    /// | HTTP | gRPC | |
    /// | --- | --- | --- |
    /// | 400 | 13 INTERNAL | table |
    /// | 401 | 16 UNAUTHENTICATED | table |
    /// | 403 | 7 PERMISSION_DENIED | table |
    /// | 405, 501 | 12 UNIMPLEMENTED | as 404 in the table: there is no such call here |
    /// | 408 | 4 DEADLINE_EXCEEDED | the request did not come in the time it had; not 14, which clients repeat of themselves: the service may have begun |
    /// | 413, 431 | 8 RESOURCE_EXHAUSTED | what gRPC's own servers say of messages and metadata over their limits |
    /// | 502, 503, 504 | 14 UNAVAILABLE | table |
    /// | 414, 417, 505 | 2 UNKNOWN | table: all others |
    public var grpcStatus: Int {
        switch self.status {
        case 400: 13
        case 401: 16
        case 403: 7
        case 405, 501: 12
        case 408: 4
        case 413, 431: 8
        case 502, 503, 504: 14
        default: 2
        }
    }
}

extension Answer {
    /// The lines of a trailers-only answer that other answers do not have: the status of the call, and the same sentence
    /// that a problem document has as its `detail`.
    ///
    /// - Parameter crossOrigin: the CORS lines of this answer. With an allowed origin among them, the page may read the
    ///   status, too.
    static func statusLines(for refusal: Refusal, crossOrigin: String) -> String {
        let status = "grpc-status: \(refusal.code.grpcStatus)\r\n"
        let message = "grpc-message: \(Self.percentEncoded(refusal.detail))\r\n"
        let isReadable = crossOrigin.contains("Access-Control-Allow-Origin:")
        return status + message + (isReadable ? "Access-Control-Expose-Headers: grpc-status, grpc-message\r\n" : "")
    }

    /// A text as grpc-message has it: printable ASCII but `%` as it is, every other byte of its UTF-8 as `%` and two
    /// digits. Nothing is left that could end the line.
    private static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
