import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file of a unix socket that this process listens on. It is made beside its place and then renamed, so that clients
/// find one process or the other behind it, and never none, when this one takes over.
struct SocketFile: Sendable {
    let path: String
    private let device: UInt64
    private let inode: UInt64

    /// Where the file is made.
    static func draft(of path: String) -> String { path + "~" }

    /// Puts the draft in its place.
    init(publishing path: String) throws(Listeners.Failure) {
        guard rename(Self.draft(of: path), path) == 0, let identity = Self.identity(of: path) else {
            throw Listeners.Failure(description: "cannot listen on unix:\(path): \(Self.reason(errno))")
        }
        self.path = path
        (self.device, self.inode) = identity
    }

    /// Fails unless the place is free: there is nothing, or the socket of a process that does not answer.
    ///
    /// - Parameter mayBeInUse: whether a process that answers is no hindrance: it is about to go.
    static func check(
        _ path: String, mayBeInUse: Bool, on eventLoop: any EventLoop
    ) async throws(Listeners.Failure) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw Listeners.Failure(
                description: "cannot listen on unix:\(path): the file that is there is no socket")
        }
        guard !mayBeInUse else { return }
        let answers = try? await ClientBootstrap(group: eventLoop).connect(unixDomainSocketPath: path).get()
        guard let answers else { return }
        try? await answers.close()
        throw Listeners.Failure(description: "unix:\(path) is in use by another process")
    }

    /// Removes the file, unless another process has put its own in the place.
    func remove() {
        guard let identity = Self.identity(of: self.path), identity == (self.device, self.inode) else { return }
        unlink(self.path)
    }

    private static func identity(of path: String) -> (UInt64, UInt64)? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return (UInt64(truncatingIfNeeded: status.st_dev), UInt64(truncatingIfNeeded: status.st_ino))
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
