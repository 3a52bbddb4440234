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

    /// Takes over whole lines.
    func submit(_ bytes: [UInt8], lines: Int) {
        let count = bytes.count
        let before = self.pending.add(count, ordering: .relaxed).oldValue
        guard before + count <= self.limit else {
            self.pending.subtract(count, ordering: .relaxed)
            self.droppedLines.add(UInt64(lines), ordering: .relaxed)
            return
        }
        self.pool.submit { _ in
            if !self.write(bytes) { self.droppedLines.add(UInt64(lines), ordering: .relaxed) }
            self.pending.subtract(count, ordering: .relaxed)
        }
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
