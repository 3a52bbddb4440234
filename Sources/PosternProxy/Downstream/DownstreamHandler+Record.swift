import NIOCore
import PosternCore

// Metrics and the access log: each request is recorded once, when its exchange ends, however it ends.
extension DownstreamHandler {
    func openRecord(now: Int64) {
        self.record = ExchangeRecord()
        self.texts.removeAll()
        self.record.started = now
        self.record.isOpen = true
    }

    /// Ends the record of the current request, if one is open.
    func finishRecord() {
        guard self.record.isOpen else { return }
        self.record.isOpen = false
        let record = self.record
        self.record.token = nil
        let loop = self.loop
        let duration = loop.now &- record.started
        let label =
            record.route == ExchangeRecord.notRouted ? RouteLabels.none : self.snapshot.labelNumber(of: record.route)
        // A client that went away before any answer was written: 499 is the usual way to count it.
        let status = record.status == 0 ? 499 : record.status
        loop.metrics.requests.increment(
            LoopMetrics.requestKey(route: label, method: record.method, status: status))
        loop.metrics.requestDuration.record(duration)
        if let upstream = record.upstreamDuration { loop.metrics.upstreamDuration.record(upstream) }
        guard self.snapshot.logAccess == .all || (self.snapshot.logAccess == .denied && record.refusal != nil) else {
            return
        }
        self.logAccess(record, status: status, duration: duration)
    }

    private func logAccess(_ record: ExchangeRecord, status: Int, duration: Int64) {
        var route = ""
        if record.route != ExchangeRecord.notRouted { route = self.snapshot.gate.rules(of: record.route).label }
        let line = AccessLogBuffer.Line(
            time: self.loop.wallTime, client: self.client.address, method: self.texts.method, path: self.texts.path,
            route: route, decision: record.refusal == nil ? "permit" : "refuse", code: record.refusal?.rawValue,
            callerMembers: record.token?.logMembers ?? [], source: record.source?.rawValue, status: status,
            bytesIn: record.bytesIn, bytesOut: record.bytesOut, duration: duration,
            upstreamDuration: record.upstreamDuration, spoofed: record.spoofed)
        self.loop.log(line, self.texts)
    }

    /// Counts a refusal.
    func recordRefusal(_ code: RefusalCode) {
        self.record.refusal = code
        self.record.status = code.status
        let label =
            self.record.route == ExchangeRecord.notRouted
            ? RouteLabels.none : self.snapshot.labelNumber(of: self.record.route)
        self.loop.countDecision(route: label, LoopMetrics.index(of: code))
    }
}
