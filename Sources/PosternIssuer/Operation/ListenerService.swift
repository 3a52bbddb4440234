import Hummingbird
import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A listener, whose failure to open is a sentence for the operator.
struct ListenerService<Served: ApplicationProtocol>: Service {
    let application: Served
    let address: ListenAddress

    /// Serves until the graceful shutdown. Throws `IssuerStartError.listen`.
    func run() async throws {
        do {
            try await self.application.run()
        } catch let error as IOError {
            let reason =
                error.errnoCode == EADDRINUSE ? "another process already listens there" : String(describing: error)
            throw IssuerStartError.listen("cannot listen on \(self.address): \(reason)")
        }
    }
}
