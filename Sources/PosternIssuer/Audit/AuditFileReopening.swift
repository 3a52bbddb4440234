import Logging
import ServiceLifecycle
import UnixSignals

/// Opens the audit log's file anew at every SIGHUP, so that logrotate can move it away.
struct AuditFileReopening: Service {
    let file: LineOutput
    let logger: Logger

    /// Works until the graceful shutdown, or until the task is cancelled.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { self.reopen() }
        }
    }

    private func reopen() {
        if self.file.reopen() {
            self.logger.info("the audit log was opened anew")
        } else {
            self.logger.error("the audit log cannot be opened anew: the old file goes on")
        }
    }
}
