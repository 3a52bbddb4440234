import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Lines of text for a descriptor, each written at once and whole, also from several tasks at the same time.
public final class LineOutput: Sendable {
    private struct State {
        var descriptor: Int32
        var hasFailed = false
        var failures: UInt64 = 0
    }

    /// Standard output.
    public static let standard = LineOutput(descriptor: STDOUT_FILENO, path: nil)

    /// How long a descriptor that does not block may stay full, in milliseconds.
    private static let patience: Int32 = 1000

    private let state: Mutex<State>
    /// Nil: standard output, which cannot be opened again.
    private let path: String?

    private init(descriptor: Int32, path: String?) {
        self.state = Mutex(State(descriptor: descriptor))
        self.path = path
    }

    /// Opens a file to append to, and makes it, its owner's alone, where it is missing. Throws `IssuerStartError.audit`.
    convenience init(appendingTo path: String) throws(IssuerStartError) {
        let descriptor = Self.open(path)
        guard descriptor >= 0 else {
            throw .audit("\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        self.init(descriptor: descriptor, path: path)
    }

    deinit {
        if self.path != nil { close(self.state.withLock(\.descriptor)) }
    }

    /// Lines that could not be written.
    var failures: UInt64 { self.state.withLock(\.failures) }

    /// Writes a line, whose end is added here. What a slow reader does not take is waited for: a log is no reason to
    /// forget what happened. False if it cannot be written, for the first time since one could.
    @discardableResult
    public func write(_ line: String) -> Bool {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        return self.state.withLock { state in
            let isWritten = Self.write(bytes, to: state.descriptor)
            defer { state.hasFailed = !isWritten }
            if isWritten { return true }
            state.failures += 1
            return state.hasFailed
        }
    }

    /// Opens the file anew: it was moved away. False if that cannot be done; then the old one goes on.
    func reopen() -> Bool {
        guard let path = self.path else { return true }
        let descriptor = Self.open(path)
        guard descriptor >= 0 else { return false }
        let old = self.state.withLock { state in
            defer { state.descriptor = descriptor }
            return state.descriptor
        }
        close(old)
        return true
    }

    private static func open(_ path: String) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        #else
            Darwin.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        #endif
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Self.write($0.baseAddress, $0.count, descriptor) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard poll(&wait, 1, Self.patience) > 0 else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    private static func write(_ start: UnsafeRawPointer?, _ count: Int, _ descriptor: Int32) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, start, count)
        #else
            Darwin.write(descriptor, start, count)
        #endif
    }
}
