import NIOCore
import PosternCore

// Metrics and the access log: each request is recorded once, when its exchange ends, however it ends.
extension DownstreamHandler {
    func openRecord(now: Int64) {
        self.record = ExchangeRecord()
        self.clearTexts()
        self.record.started = now
        self.record.isOpen = true
    }

    /// Forgets the texts of the request before. They are changed outside of the handler: no call while they are accessed in it
    /// means that no access to them has to be checked.
    private func clearTexts() {
        if !self.texts.requestID.isEmpty {
            var requestID = self.texts.requestID.takeAll()
            requestID.removeAll(keepingCapacity: true)
            self.texts.requestID = requestID
        }
        guard !self.texts.method.isEmpty else { return }
        var texts = ExchangeTexts()
        swap(&texts, &self.texts)
        texts.removeLogged()
        swap(&texts, &self.texts)
    }

    /// Ends the record of the current request, if one is open.
    func finishRecord() {
        guard self.record.isOpen else { return }
        self.record.isOpen = false
        // A client that went away before any answer was written: 499 is the usual way to count it.
        let status = self.record.status == 0 ? 499 : self.record.status
        let duration = self.loop.now &- self.record.started
        if let tunnel, let machine = tunnel.machine {
            self.loop.removeTunnel(self, tunnel.upgrade.kind, machine.end ?? .broken)
        } else {
            self.countRequest(status: status, duration: duration)
        }
        let logs =
            self.snapshot.logAccess == .all || (self.snapshot.logAccess == .denied && self.record.isDenied)
        if logs { self.logAccess(self.record, status: status, duration: duration) }
        if let trace { self.finishTrace(trace) }
        self.record.token = nil
    }

    /// Counts the request in the metrics.
    func countRequest(status: Int, duration: Int64) {
        let route = self.record.route
        let label = route == ExchangeRecord.notRouted ? RouteLabels.none : self.snapshot.labelNumber(of: route)
        self.loop.metrics.finished(
            LoopMetrics.requestKey(route: label, method: self.record.method, status: status), duration: duration,
            upstream: self.record.upstreamDuration)
    }

    private func logAccess(_ record: ExchangeRecord, status: Int, duration: Int64) {
        let isRouted = record.route != ExchangeRecord.notRouted
        let route = isRouted ? self.snapshot.logLabel(of: record.route) : []
        let client = record.isProxied ? self.proxied?.address : nil
        let line = AccessLogBuffer.Line(
            time: self.loop.wallTime, client: client ?? self.client.address, method: self.texts.method,
            path: self.texts.path,
            route: route, decision: record.decision, code: record.refusal?.rawValue ?? record.preflight.code,
            callerMembers: record.token?.logMembers ?? [], source: record.source?.rawValue, status: status,
            bytesIn: record.bytesIn, bytesOut: record.bytesOut, duration: duration,
            upstreamDuration: record.upstreamDuration, spoofed: record.spoofed,
            tunnelEnd: self.tunnel?.machine?.end)
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

extension ExchangeRecord {
    /// Whether Postern itself said no.
    fileprivate var isDenied: Bool { self.refusal != nil || self.preflight == .denied }

    /// The word of the access log.
    var decision: StaticString {
        if self.refusal != nil { return "refuse" }
        return self.preflight == .none ? "permit" : "answer"
    }
}
