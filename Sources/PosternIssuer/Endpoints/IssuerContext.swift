import Hummingbird
import NIOCore

/// What a request carries through the router.
struct IssuerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection, if it has an address.
    let peer: Address?

    init(source: ApplicationRequestContextSource) {
        self.coreContext = .init(source: source)
        self.peer = source.channel.remoteAddress?.ipAddress.flatMap(Address.init)
    }
}
