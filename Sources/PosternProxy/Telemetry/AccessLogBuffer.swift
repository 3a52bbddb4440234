import PosternCore

/// The access log of one event loop: lines are built here as bytes and handed to the sink in batches.
struct AccessLogBuffer {
    /// A batch is handed over when it has this many bytes, or after `AccessLogBuffer.delay`.
    static let batchSize = 32 * 1024
    /// Bytes that most lines do not exceed.
    private static let lineSize = 2 * 1024
    /// Nanoseconds that a line waits at most.
    static let delay: Int64 = 50_000_000

    private let sink: LogSink
    private var bytes: [UInt8] = []
    private var lines = 0
    /// The text of the current second, so that a line formats a date only when the second changes.
    private var second: Int64 = -1
    private var timeText: [UInt8] = []

    init(sink: LogSink) {
        self.sink = sink
    }

    /// Whether lines wait to be handed over.
    var isEmpty: Bool { self.lines == 0 }

    /// What a line tells, beyond what the arrays of the record hold.
    struct Line {
        var time: Double
        var client: [UInt8]
        var method: [UInt8]
        var path: [UInt8]
        /// The route's label as `JSONLine.escaped` makes it.
        var route: [UInt8]
        var decision: StaticString
        var code: String?
        var callerMembers: [UInt8]
        var source: String?
        var status: Int
        var bytesIn: Int64
        var bytesOut: Int64
        var duration: Int64
        var upstreamDuration: Int64?
        var spoofed: Bool
        /// What ended the tunnel that the request became; nil where it became none.
        var tunnelEnd: Tunnel.End?
    }

    /// Adds a line. Returns whether it is the first one of a batch, so that somebody has to hand it over in time.
    mutating func append(_ line: Line, requestID: [UInt8], traceID: [UInt8]) -> Bool {
        let first = self.lines == 0
        if first { self.bytes = self.sink.takeBuffer(capacity: Self.batchSize + Self.lineSize) }
        self.lines += 1
        self.appendTime(line.time)
        self.append(",\"request_id\":\"", requestID)
        if !traceID.isEmpty { self.append("\",\"trace_id\":\"", traceID) }
        self.append("\",\"client\":\"", line.client)
        self.bytes.append("\",\"method\":\"")
        JSONLine.appendEscaped(line.method, to: &self.bytes)
        self.bytes.append("\",\"path\":\"")
        JSONLine.appendEscaped(line.path, to: &self.bytes)
        self.append("\",\"route\":\"", line.route)
        self.bytes.append("\",\"decision\":\"")
        self.bytes.append(line.decision)
        if let code = line.code {
            self.bytes.append("\",\"code\":\"")
            self.bytes.append(contentsOf: code.utf8)
        }
        self.bytes.append("\"")
        self.bytes.append(contentsOf: line.callerMembers)
        if let source = line.source {
            self.bytes.append(",\"token_source\":\"")
            self.bytes.append(contentsOf: source.utf8)
            self.bytes.append("\"")
        }
        self.append(",\"status\":", number: Int64(line.status))
        self.append(",\"bytes_in\":", number: line.bytesIn)
        self.append(",\"bytes_out\":", number: line.bytesOut)
        self.bytes.append(",\"duration_ms\":")
        JSONLine.appendMilliseconds(line.duration, to: &self.bytes)
        if let upstream = line.upstreamDuration {
            self.bytes.append(",\"upstream_ms\":")
            JSONLine.appendMilliseconds(upstream, to: &self.bytes)
        }
        if let end = line.tunnelEnd {
            self.bytes.append(",\"tunnel_end\":\"")
            self.bytes.append(contentsOf: end.rawValue.utf8)
            self.bytes.append("\"")
        }
        self.bytes.append(line.spoofed ? ",\"spoofed\":true}\n" : ",\"spoofed\":false}\n")
        if self.bytes.count >= Self.batchSize { self.handOver() }
        return first
    }

    /// Gives the lines to the sink.
    mutating func handOver() {
        guard self.lines > 0 else { return }
        let bytes = self.bytes
        self.bytes = []
        self.sink.submit(bytes, lines: self.lines)
        self.lines = 0
    }

    private mutating func appendTime(_ time: Double) {
        let milliseconds = Int64(time * 1000)
        if milliseconds / 1000 != self.second {
            self.second = milliseconds / 1000
            self.timeText.removeAll(keepingCapacity: true)
            JSONLine.appendTime(Double(self.second), to: &self.timeText)
            self.timeText.removeLast(4)
        }
        self.bytes.append("{\"time\":\"")
        self.bytes.append(contentsOf: self.timeText)
        let rest = milliseconds % 1000
        self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 100))
        self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / 10 % 10))
        self.bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
        self.bytes.append("Z\"")
    }

    private mutating func append(_ name: StaticString, _ value: [UInt8]) {
        self.bytes.append(name)
        self.bytes.append(contentsOf: value)
    }

    private mutating func append(_ name: StaticString, number: Int64) {
        self.bytes.append(name)
        JSONLine.appendNumber(number, to: &self.bytes)
    }
}
