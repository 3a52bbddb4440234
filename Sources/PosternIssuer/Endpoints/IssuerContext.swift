import Hummingbird
import NIOCore

/// What a request carries through the router.
struct IssuerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection, if it has an address.
    let peer: Address?
    /// Where the request came from: the peer, or whom a trusted proxy named.
    var address: Address?
    /// When the request came, Unix seconds, by the issuer's clock (`RequestMiddleware`).
    var time: Double

    init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.peer = source.channel.remoteAddress.flatMap(Address.init)
        self.address = self.peer
        self.time = IssuerClock.system.now()
    }

    /// What stands in the path where the route has `{name}`, percent-decoded. Throws `Problem.notFound` if that is no
    /// text: nothing has such a name.
    func parameter(_ name: String) throws(Problem) -> String {
        guard let raw = self.parameters.get(name),
            let text = FormEncoding.decode(Array(raw.utf8)[...], plusIsSpace: false)
        else { throw .notFound }
        return text
    }

    /// What the audit log says of this request.
    ///
    /// - Parameters:
    ///   - actor: `client:ID`, `user:ID`, `service-key:NAME`; nil: nobody who could prove it.
    ///   - target: Whom or what it is about, in the same form.
    ///   - reason: An error code, or what was changed. Nothing that a stranger wrote.
    func audit(
        _ action: AuditEntry.Action, by actor: String?, isAllowed: Bool = true, target: String? = nil,
        reason: String? = nil
    ) -> AuditEntry {
        AuditEntry(
            time: self.time, action: action, isAllowed: isAllowed, actor: actor, target: target, reason: reason,
            address: self.address?.description, requestID: self.id)
    }
}
