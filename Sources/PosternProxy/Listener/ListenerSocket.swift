import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a listening socket is asked beyond what its channel offers. To be used on the channel's event loop, at once, and
/// only there: a descriptor that was closed may be somebody else's a moment later.
struct ListenerSocket {
    private let descriptor: Int32

    /// The socket of an open channel; nil where that is not known.
    init?(_ channel: any Channel) {
        #if os(Linux)
            let handle = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }
            guard channel.isActive, let handle, handle >= 0 else { return nil }
            self.descriptor = handle
        #else
            return nil
        #endif
    }

    /// Whether a connection waits to be accepted.
    var hasWaiting: Bool {
        #if os(Linux)
            var request = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            // The system call takes a pointer; it does not leave the expression.
            return unsafe poll(&request, 1, 0) == 1
        #else
            return false
        #endif
    }

    /// Has the kernel give each new connection to the socket of the port that was opened as the `index`-th, counted from
    /// zero over all processes that share it. Where there is none, the kernel chooses as it would without.
    ///
    /// Handshakes that have begun end at the socket that they began with.
    func direct(to index: Int) {
        #if os(Linux)
            // A classic BPF program of one instruction: return a constant (BPF_RET | BPF_K).
            withUnsafePointer(to: Instruction(code: 0x06, constant: UInt32(truncatingIfNeeded: index))) { instruction in
                var program = unsafe Program(count: 1, instructions: instruction)
                let size = socklen_t(MemoryLayout<Program>.size)
                _ = unsafe setsockopt(self.descriptor, SOL_SOCKET, Self.attachProgram, &program, size)
            }
        #endif
    }

    /// Ends what `direct` said, whichever process that was.
    func spread() {
        #if os(Linux)
            var unused: Int32 = 0
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(self.descriptor, SOL_SOCKET, Self.detachProgram, &unused, size)
        #endif
    }

    /// `struct sock_filter` of linux/filter.h.
    private struct Instruction {
        var code: UInt16
        var ifTrue: UInt8 = 0
        var ifFalse: UInt8 = 0
        var constant: UInt32
    }

    /// `struct sock_fprog` of linux/filter.h.
    @unsafe private struct Program {
        var count: UInt16
        var instructions: UnsafePointer<Instruction>
    }

    /// `SO_ATTACH_REUSEPORT_CBPF` and `SO_DETACH_REUSEPORT_BPF` of asm-generic/socket.h.
    private static let attachProgram: Int32 = 51
    private static let detachProgram: Int32 = 68
}
