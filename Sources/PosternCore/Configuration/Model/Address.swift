/// A place to listen at or to connect to: a host with a port, or a Unix domain socket.
public enum Address: Hashable, Sendable, CustomStringConvertible {
    /// `host` is an IPv4 address, an IPv6 address without brackets, or a host name. Port 0 (only for listening): any.
    case host(String, port: Int)
    /// The path of a socket.
    case unix(path: String)

    /// As written in proxy.yaml: `127.0.0.1:8080`, `[::1]:8080`, `unix:/run/postern.sock`.
    public var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
