import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A program that a test starts and ends. Its standard streams are empty.
///
/// Not by Foundation's `Process`: with a thousand open files that reads beyond the end of the list of them.
struct ChildProcess: Sendable {
    private let pid: pid_t

    /// Closes what is inherited, sockets of other tests, and becomes the program.
    private static let script = """
        for open in /proc/self/fd/*; do
            if [ "${open##*/}" -gt 2 ]; then eval "exec ${open##*/}>&-"; fi
        done
        exec "$@"
        """

    /// - Parameter command: The program, looked for in PATH, and its arguments.
    init(_ command: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for stream in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: a signal for this process and its group is not for it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let arguments: [UnsafeMutablePointer<CChar>?] =
            (["bash", "-c", Self.script, "bash"] + command).map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let error = posix_spawnp(&child, "bash", &actions, &attributes, arguments, environ)
        try #require(error == 0, "\(command[0]) does not start: \(error)")
        self.pid = child
    }

    /// A port of loopback that is free at the moment. The socket that finds it is inherited by nobody, or the port would not
    /// be free while a program is starting that another test starts.
    static func freePort() throws -> Int {
        #if os(Linux)
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let probe = socket(AF_INET, kind, 0)
        try #require(probe >= 0)
        defer { close(probe) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(probe, pointer, length) == 0 && getsockname(probe, pointer, &length) == 0
            }
        }
        try #require(result)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Ends it. By SIGKILL: what is started from a task inherits its thread's signal mask, in which SIGTERM is blocked.
    func end() {
        kill(self.pid, SIGKILL)
        while waitpid(self.pid, nil, 0) < 0, errno == EINTR {}
    }
}
