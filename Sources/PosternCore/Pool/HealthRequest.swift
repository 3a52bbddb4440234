/// The request that a health check makes: Postern's own, without anything of a client's and without identity.
public enum HealthRequest {
    /// The whole request.
    ///
    /// - Parameters:
    ///   - path: begins with `/`; visible ASCII.
    ///   - authority: what `Host` says (`authority(of:port:isSecured:)`).
    ///   - version: this program's.
    public static func bytes(path: String, authority: String, version: String) -> [UInt8] {
        let lines = [
            "GET \(path) HTTP/1.1", "Host: \(authority)",
            "User-Agent: postern-health/\(version)", "Accept: */*", "Connection: close",
        ]
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Whether a service that answers with this status is well: it did what was asked, or shows where that is done.
    public static func isWell(status: Int) -> Bool {
        (200..<400).contains(status)
    }

    /// A host (an IPv6 address without brackets) and its port, which is left out where the scheme has it anyway.
    public static func authority(of host: String, port: Int, isSecured: Bool) -> String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecured ? 443 : 80) ? name : "\(name):\(port)"
    }
}
