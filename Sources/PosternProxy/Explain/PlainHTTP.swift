import PosternCore

/// One GET with sockets alone: a health check runs every few seconds in every pod, and is not to start threads for it.
enum PlainHTTP {
    struct Reply: Equatable {
        var status: Int
        var body: String
    }

    /// Why there is no reply: a sentence.
    struct Failure: Error, Equatable {
        var reason: String
    }

    /// Bytes of a reply that are read.
    private static let sizeLimit = 64 * 1024

    /// - Parameter deadline: on `MonotonicClock`.
    static func get(_ target: String, at address: Address, deadline: Int64) -> Result<Reply, Failure> {
        Result { () throws(Failure) in
            let socket = try StreamSocket(connectingTo: address, deadline: deadline)
            let host = if case .host = address { "\(address)" } else { "localhost" }
            try socket.write(
                Array("GET \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8), deadline: deadline)
            return try Self.parse(try socket.readToEnd(limit: Self.sizeLimit, deadline: deadline))
        }
    }

    /// Reads a response that ends with its connection. Its body may come in chunks; then it is left as it is.
    static func parse(_ bytes: [UInt8]) throws(Failure) -> Reply {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.prefix { $0 != "\r\n" && $0 != "\r" && $0 != "\n" }
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].utf8.count == 3, let status = Int(parts[1])
        else { throw Failure(reason: bytes.isEmpty ? "the connection was closed" : "the answer is not HTTP") }
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let body = lines.drop { !$0.isEmpty }.dropFirst().joined(separator: "\r\n")
        return Reply(status: status, body: body)
    }
}
