import Foundation
import PosternCore
import Testing

@testable import PosternProxy

/// A pipe in place of stdout: what a sink writes, a test reads. Every wait is bounded.
final class LogPipe: Sendable {
    let writeEnd: Int32
    private let readEnd: Int32

    /// Bytes that a pipe takes without a reader.
    static let capacity = 65_536

    init(blocking: Bool = true) throws {
        // A write to a pipe without reader is an error of that write, as in the process itself.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (self.readEnd, self.writeEnd) = (ends[0], ends[1])
        if !blocking { try #require(fcntl(self.writeEnd, F_SETFL, O_NONBLOCK) == 0) }
    }

    /// Reads until `count` lines have come, and fails if they do not come.
    func lines(_ count: Int, _ place: SourceLocation = #_sourceLocation) throws -> [String] {
        var bytes: [UInt8] = []
        var found = 0
        while found < count {
            let part = try #require(self.read(), "\(found) of \(count) lines came", sourceLocation: place)
            found += part.count { $0 == UInt8(ascii: "\n") }
            bytes += part
        }
        #expect(bytes.last == UInt8(ascii: "\n"), sourceLocation: place)
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The next line as JSON.
    func object(_ place: SourceLocation = #_sourceLocation) throws -> JSONValue {
        let lines = try self.lines(1, place)
        #expect(lines.count == 1, sourceLocation: place)
        return try JSONReader.parse(Array(lines[0].utf8).span.bytes)
    }

    /// Whether nothing has been written that was not read.
    var isEmpty: Bool {
        var entry = pollfd(fd: self.readEnd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 0
    }

    func closeReader() { close(self.readEnd) }

    private func read() -> [UInt8]? {
        var entry = pollfd(fd: self.readEnd, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 10_000) == 1 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = buffer.withUnsafeMutableBytes { Foundation.read(self.readEnd, $0.baseAddress, $0.count) }
        return count > 0 ? Array(buffer.prefix(count)) : nil
    }
}

extension JSONValue {
    /// The names of an object's members, in order.
    var names: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }
}
