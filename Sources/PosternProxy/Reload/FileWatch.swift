#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Notices that a file became another one: written in place, replaced, or reached through a symbolic link that was swapped,
/// as Kubernetes does with mounted configuration.
struct FileWatch {
    private struct Signature: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    let path: String
    private var last: Signature?

    init(path: String) {
        self.path = path
        self.last = Self.signature(path)
    }

    /// Whether the file is another one than at the last call. A file that is missing for a moment is not.
    mutating func hasChanged() -> Bool {
        guard let current = Self.signature(self.path), current != self.last else { return false }
        self.last = current
        return true
    }

    private static func signature(_ path: String) -> Signature? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return Signature(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino),
            size: Int64(status.st_size), seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
    }
}
