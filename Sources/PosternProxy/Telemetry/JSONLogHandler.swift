import Logging
import PosternCore
import Synchronization

/// Writes the process's own log as JSON lines into the sink that the access log uses, too.
struct JSONLogHandler: LogHandler {
    /// The level below which nothing is written; shared by all copies, so that a reload can change it.
    final class Threshold: Sendable {
        private let level = Atomic<Int>(2)

        var value: Logger.Level {
            get { Logger.Level.allCases[self.level.load(ordering: .relaxed)] }
            set { self.level.store(Logger.Level.allCases.firstIndex(of: newValue) ?? 2, ordering: .relaxed) }
        }
    }

    let sink: LogSink
    let threshold: Threshold
    var metadata: Logger.Metadata = [:]

    var logLevel: Logger.Level {
        get { self.threshold.value }
        set { self.threshold.value = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line: [UInt8] = []
        line.append("{\"time\":\"")
        JSONLine.appendTime(SystemClock.unixTime, to: &line)
        line.append("\",\"level\":\"")
        line.append(contentsOf: event.level.rawValue.utf8)
        line.append("\",\"message\":")
        line.append(contentsOf: JSONValue.string(event.message.description).serialized().utf8)
        var all = self.metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { all["error"] = "\(error)" }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line.append(UInt8(ascii: ","))
            line.append(contentsOf: JSONValue.string(key).serialized().utf8)
            line.append(UInt8(ascii: ":"))
            line.append(contentsOf: JSONValue.string(value.description).serialized().utf8)
        }
        line.append("}\n")
        self.sink.submit(line, lines: 1)
    }
}
