import PosternCore

/// What a client's connection keeps of a change of protocol, from the request on; the connections of ordinary requests
/// have none.
final class TunnelLink {
    let upgrade: ProtocolSwitch
    /// Whose token let the request in; nil for anonymous callers.
    let token: VerifiedToken?
    /// Nil until the upstream has switched.
    var machine: Tunnel?

    init(_ upgrade: ProtocolSwitch, token: VerifiedToken?) {
        self.upgrade = upgrade
        self.token = token
    }

    /// Nanoseconds for the rest of a frame when a tunnel is to end, and for a peer that does not take what is left.
    static let endingTime: Int64 = 5_000_000_000
}
