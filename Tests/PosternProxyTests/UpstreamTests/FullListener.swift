import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A listener at 127.0.0.1 that accepts nothing and whose queue is full: whoever connects hears nothing.
final class FullListener: Sendable {
    private let descriptors: [Int32]

    init(port: Int) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let listener = Self.open()
        try #require(Self.with(address) { bind(listener, $0, $1) } == 0)
        try #require(listen(listener, 0) == 0)
        var descriptors = [listener]
        // The queue holds a connection more than its length says; these do not wait for an answer.
        for _ in 0..<4 {
            let client = Self.open()
            _ = fcntl(client, F_SETFL, O_NONBLOCK)
            _ = Self.with(address) { connect(client, $0, $1) }
            descriptors.append(client)
        }
        self.descriptors = descriptors
    }

    deinit {
        for descriptor in self.descriptors { close(descriptor) }
    }

    private static func open() -> Int32 {
        #if canImport(Glibc)
            socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private static func with(_ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
