import ServiceLifecycle
import Synchronization

/// Knows that the process has been told to stop. As the last of the services it hears of it first, before the listener
/// closes, so that whoever asks for readiness learns of it while requests are still finished.
final class StopNotice: Service {
    private let isStopping = Mutex(false)

    /// Whether it has been told.
    var hasBegun: Bool { self.isStopping.withLock { $0 } }

    /// Waits for the graceful shutdown, or until the task is cancelled.
    func run() async throws {
        // Cancelled: the process stops too, only less kindly.
        try? await gracefulShutdown()
        self.isStopping.withLock { $0 = true }
    }
}
