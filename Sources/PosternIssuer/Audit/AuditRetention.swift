import Logging
import ServiceLifecycle

/// Removes entries from the audit table that are older than is wanted: at the start, and every day.
struct AuditRetention: Service {
    static let interval = 86400.0

    let store: any AuditStore
    /// Seconds.
    let retention: Int
    let clock: IssuerClock
    let logger: Logger

    /// Works until the graceful shutdown, or until the task is cancelled.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { await self.prune() } while await self.waitsOn()
        }
    }

    /// Removes what is too old now. A store that does not answer is asked again the next day.
    func prune() async {
        do {
            let count = try await self.store.removeAudit(before: self.clock.now() - Double(self.retention))
            guard count > 0 else { return }
            self.logger.info("old audit entries removed", metadata: ["count": "\(count)"])
        } catch {
            if error is CancellationError { return }
            self.logger.error("old audit entries cannot be removed", metadata: ["error": "\(error)"])
        }
    }

    private func waitsOn() async -> Bool {
        do {
            try await self.clock.sleep(Self.interval)
            return !Task.isCancelled
        } catch {
            return false
        }
    }
}
