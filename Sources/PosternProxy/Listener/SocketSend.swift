import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes to the socket of a channel without going through the channel: what a request and its answer usually are, a few
/// hundred bytes that the kernel takes at once, costs one system call and nothing else. The one file that touches a
/// connection's descriptor.
///
/// A descriptor that was closed may be somebody else's connection a moment later. So it is used only while the channel
/// says that it is active, which it stops saying before anybody is told that it closed.
struct SocketSend {
    private let descriptor: Int32

    /// The socket of an open channel; nil where that is not known. Only for a channel in which nothing, such as TLS,
    /// changes bytes on their way to the socket: what is written here goes past all handlers.
    init?(_ channel: any Channel) {
        #if os(Linux)
            let handle = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { $0 }
            guard let handle, handle >= 0 else { return nil }
            self.descriptor = handle
        #else
            return nil
        #endif
    }

    /// Gives bytes to the kernel. Returns how many it took, fewer when its buffer is full; nil after an error, which the
    /// channel meets as well when it writes the rest.
    func callAsFunction(_ bytes: RawSpan) -> Int? {
        #if os(Linux)
            let flags = Int32(truncatingIfNeeded: Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT))
            // The system call takes a pointer; it does not leave the closure.
            return unsafe bytes.withUnsafeBytes { buffer in
                let count = unsafe send(self.descriptor, buffer.baseAddress, buffer.count, flags)
                if count >= 0 { return count }
                return errno == EAGAIN || errno == EINTR ? 0 : nil
            }
        #else
            return nil
        #endif
    }

    /// Whether the peer has said nothing that was not read yet, and has not closed: asked of the kernel, with a byte of the stack
    /// that the system call may write to and does not keep.
    var hasNothingToRead: Bool {
        #if os(Linux)
            let flags = Int32(truncatingIfNeeded: Int(MSG_PEEK) | Int(MSG_DONTWAIT))
            var byte: UInt8 = 0
            return unsafe recv(self.descriptor, &byte, 1, flags) < 0 && errno == EAGAIN
        #else
            return false
        #endif
    }
}
