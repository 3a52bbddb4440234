import Logging
import PosternCore
import Synchronization
import Testing

@testable import PosternProxy

/// The process's own log, as a test reads it: line by line, and every wait is bounded.
final class OwnLog: Sendable {
    let sink: LogSink
    let logger: Logger
    private let pipe: LogPipe
    private let unread = Mutex<[JSONValue]>([])

    init() throws {
        let pipe = try LogPipe()
        let sink = LogSink(descriptor: pipe.writeEnd)
        self.pipe = pipe
        self.sink = sink
        self.logger = Logger(label: "test") { _ in JSONLogHandler(sink: sink, threshold: JSONLogHandler.Threshold()) }
    }

    /// The next line, waited for.
    func next(_ place: SourceLocation = #_sourceLocation) throws -> JSONValue {
        if let line = self.unread.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return line }
        var lines = try self.pipe.lines(1, place).map { try JSONReader.parse(Array($0.utf8).span.bytes) }
        let first = lines.removeFirst()
        self.unread.withLock { $0 += lines }
        return first
    }

    /// The next line with this message, waited for; the lines before it are passed over.
    @discardableResult
    func wait(for message: String, _ place: SourceLocation = #_sourceLocation) throws -> JSONValue {
        while true {
            let line = try self.next(place)
            if line["message"]?.string == message { return line }
        }
    }

    /// All that was logged so far and not read yet.
    func rest() async throws -> [JSONValue] {
        await self.sink.flush(seconds: 10)
        var lines: [JSONValue] = []
        while !self.unread.withLock({ $0.isEmpty }) || !self.pipe.isEmpty { lines.append(try self.next()) }
        return lines
    }
}
