#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a file that is there as a whole or not at all.
enum NewFile {
    enum Problem: Error, Equatable {
        case exists
        /// What the system says.
        case system(String)
    }

    /// - Parameter replacing: whether a file of this name may be replaced.
    static func write(_ text: String, path: String, replacing: Bool) -> Problem? {
        // In the same folder, so that the last step is one within a file system.
        let draft = "\(path).\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { return .system(Self.reason) }
        defer { unlink(draft) }
        let isWritten = Self.write(Array(text.utf8), to: descriptor) && fsync(descriptor) == 0
        let reason = Self.reason
        guard close(descriptor) == 0, isWritten else { return .system(reason) }
        // A link is refused where there is a file, however it came there in the meantime.
        if replacing ? rename(draft, path) == 0 : link(draft, path) == 0 { return nil }
        return !replacing && errno == EEXIST ? .exists : .system(Self.reason)
    }

    private static var reason: String { String(cString: strerror(errno)) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // The system call takes a pointer; it does not leave the closure.
            let count = rest.withUnsafeBytes { posixWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
