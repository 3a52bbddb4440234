import Logging
import ServiceLifecycle

/// Keeps the keys of a running issuer right: reads them again every 30 seconds, so that every process knows a new one long
/// before it signs; adds the next one when the current one is old; removes those whose last token is over.
actor KeyRotation: Service {
    private let ring: KeyRing
    /// Seconds; nil: keys do not age.
    private let age: Int?
    private let clock: IssuerClock
    private let audit: AuditLog
    private let logger: Logger
    private var hasFailed = false
    private var signer: String?

    init(ring: KeyRing, age: Int?, clock: IssuerClock, audit: AuditLog, logger: Logger) {
        self.ring = ring
        self.age = age
        self.clock = clock
        self.audit = audit
        self.logger = logger
    }

    /// Works until the graceful shutdown, or until the task is cancelled.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { await self.round() } while await self.waitsOn()
        }
    }

    /// One look at the keys. While the store is away the keys stay as they were read last; that is logged once.
    func round() async {
        do {
            try await self.ring.reload()
            if self.ring.schedule.isDue(now: self.clock.now(), age: self.age) { try await self.add() }
            let removed = try await self.ring.removeOld()
            for kid in removed {
                self.logger.notice("signing key removed: its last token is over", metadata: ["kid": "\(kid)"])
            }
            self.hasFailed = false
        } catch {
            if !self.hasFailed, !(error is CancellationError) {
                self.logger.error(
                    "the signing keys cannot be read again: they stay as they are", metadata: ["error": "\(error)"])
            }
            self.hasFailed = true
        }
        self.reportSigner()
    }

    private func add() async throws {
        let (added, entry) = try await self.ring.rotate(by: "issuer")
        // Another process may have been first.
        guard added, let kid = self.ring.schedule.keys.first?.kid else { return }
        self.audit.changed(entry)
        self.logger.notice(
            "signing key added: it signs in \(KeySchedule.notice) seconds", metadata: ["kid": "\(kid)"])
    }

    private func reportSigner() {
        let signer = self.ring.signer.kid
        if let before = self.signer, before != signer {
            self.logger.notice("another signing key signs", metadata: ["kid": "\(signer)", "before": "\(before)"])
        }
        self.signer = signer
    }

    private func waitsOn() async -> Bool {
        do {
            try await self.clock.sleep(Double(KeySchedule.reloadInterval))
            return !Task.isCancelled
        } catch {
            return false
        }
    }
}
