import NIOCore
import PosternCore

/// What an event loop counts and writes down of its requests.
extension LoopContext {
    func countDecision(route: Int, _ decision: Int) {
        self.metrics.decisions.increment(LoopMetrics.decisionKey(route: route, decision: decision))
    }

    /// Adds a line to the access log; a batch that begins is handed over a moment later.
    func log(_ line: AccessLogBuffer.Line, _ texts: ExchangeTexts) {
        guard self.accessLog.append(line, requestID: texts.requestID, traceID: texts.traceID) else { return }
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(AccessLogBuffer.delay)) {
            bound.value.accessLog.handOver()
        }
    }

    /// A copy of the counters, with the gauges read now.
    func currentMetrics() -> LoopMetrics {
        var metrics = self.metrics
        metrics.cachedTokens = self.intake.cachedTokens
        metrics.rejectedTokens = self.intake.rejectedTokens
        metrics.revocations = self.intake.revocations
        if let redis { metrics.redis.add(redis.counts) }
        metrics.poolWaiting = self.pools.reduce(0) { $0 + $1.machine.waitingCount }
        return metrics
    }
}
