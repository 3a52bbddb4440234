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
        let arguments: [UnsafeMutablePointer<CChar>?] = command.map { (text: String) in strdup(text) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let error = posix_spawnp(&child, command[0], &actions, &attributes, arguments, environ)
        try #require(error == 0, "\(command[0]) does not start: \(error)")
        self.pid = child
    }

    /// Ends it. By SIGKILL: what is started from a task inherits its thread's signal mask, in which SIGTERM is blocked.
    func end() {
        kill(self.pid, SIGKILL)
        while waitpid(self.pid, nil, 0) < 0, errno == EINTR {}
    }
}
