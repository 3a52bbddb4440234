import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where log lines go: a thread of its own that writes them to a descriptor. Handing lines over never blocks; when the
/// reader of the descriptor is too slow, whole batches are dropped and counted.
final class LogSink: Sendable {
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let descriptor: Int32
    private let limit: Int
    private let pending = Atomic<Int>(0)
    private let droppedLines = Atomic<UInt64>(0)
    private struct Batch {
        var bytes: [UInt8]
        var lines: Int
    }
    private let batches = Mutex<[Batch]>([])
    /// Arrays whose bytes were written: their memory is used again, because memory that grows with each batch and is given
    /// back after it costs a page fault for every few lines.
    private let spare = Mutex<[[UInt8]]>([])
    private static let spareCount = 4
    private static let spareSize = 64 * 1024

    /// - Parameters:
    ///   - descriptor: where lines are written; stdout by default.
    ///   - limit: bytes that may wait to be written.
    init(descriptor: Int32 = 1, limit: Int = 1 << 20) {
        self.descriptor = descriptor
        self.limit = limit
        self.pool.start()
    }

    /// Lines that were dropped so far.
    var dropped: UInt64 { self.droppedLines.load(ordering: .relaxed) }

    /// An empty array to write lines to.
    func takeBuffer(capacity: Int) -> [UInt8] {
        if let buffer = self.spare.withLock({ $0.popLast() }) { return buffer }
        var buffer: [UInt8] = []
        buffer.reserveCapacity(capacity)
        return buffer
    }

    private func giveBuffer(_ buffer: consuming [UInt8]) {
        guard buffer.capacity <= Self.spareSize else { return }
        buffer.removeAll(keepingCapacity: true)
        let empty = buffer
        self.spare.withLock { if $0.count < Self.spareCount { $0.append(empty) } }
    }

    /// Takes over whole lines.
    func submit(_ bytes: consuming [UInt8], lines: Int) {
        let count = bytes.count
        let before = self.pending.add(count, ordering: .relaxed).oldValue
        guard before + count <= self.limit else {
            self.pending.subtract(count, ordering: .relaxed)
            self.droppedLines.add(UInt64(lines), ordering: .relaxed)
            return
        }
        let batch = Batch(bytes: bytes, lines: lines)
        self.batches.withLock { $0.append(batch) }
        self.pool.submit { _ in self.writeNext() }
    }

    /// Writes the batch that waits longest: there is one for each time this is called.
    private func writeNext() {
        let batch = self.batches.withLock { $0.removeFirst() }
        if !self.write(batch.bytes) { self.droppedLines.add(UInt64(batch.lines), ordering: .relaxed) }
        self.pending.subtract(batch.bytes.count, ordering: .relaxed)
        self.giveBuffer(batch.bytes)
    }

    /// Writes what was submitted, waiting at most `seconds` for a slow reader; then the sink may be left.
    func flush(seconds: Double) async {
        for _ in 0..<Int(seconds * 100) {
            if self.pending.load(ordering: .relaxed) == 0 { return }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Writes all bytes, or says that the descriptor takes no more.
    private func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            // The system call takes a pointer; it does not leave this closure.
            var offset = 0
            while offset < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                let written = unsafe systemWrite(self.descriptor, rest)
                if written > 0 {
                    offset += written
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                    guard poll(&waiting, 1, 1000) >= 0 || errno == EINTR else { return false }
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe write(descriptor, bytes.baseAddress, bytes.count)
}
