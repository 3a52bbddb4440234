import ArgumentParser
import PosternProxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension CommandOutput {
    /// Writes what there is, and ends the command with its exit code.
    func finish() throws -> Never {
        Self.write(self.stdout, to: STDOUT_FILENO)
        Self.write(self.stderr, to: STDERR_FILENO)
        throw ExitCode(self.exitCode)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // The system call takes a pointer; it does not leave the closure.
            let count = rest.withUnsafeBytes { posixWrite(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Whoever should read it is gone.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

private func posixWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
