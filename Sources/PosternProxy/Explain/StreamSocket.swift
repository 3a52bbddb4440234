import PosternCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The system's monotonic clock.
enum MonotonicClock {
    static var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// A connected stream socket, every wait of which is bounded. Pointers do not leave the calls that need them.
struct StreamSocket: ~Copyable {
    private let descriptor: Int32

    init(connectingTo address: Address, deadline: Int64) throws(PlainHTTP.Failure) {
        let failure: PlainHTTP.Failure
        switch Self.open(address, deadline: deadline) {
        case .success(let descriptor):
            self.descriptor = descriptor
            return
        case .failure(let found):
            failure = found
        }
        throw failure
    }

    deinit { close(self.descriptor) }

    func write(_ bytes: [UInt8], deadline: Int64) throws(PlainHTTP.Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, Self.noSignal) }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno == EAGAIN {
                try Self.wait(self.descriptor, for: POLLOUT, deadline: deadline)
            } else if errno != EINTR {
                throw Self.failure()
            }
        }
    }

    func readToEnd(limit: Int, deadline: Int64) throws(PlainHTTP.Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let count = buffer.withUnsafeMutableBytes { recv(self.descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                bytes += buffer.prefix(count)
            } else if count == 0 {
                return bytes
            } else if errno == EAGAIN {
                try Self.wait(self.descriptor, for: POLLIN, deadline: deadline)
            } else if errno != EINTR {
                throw Self.failure()
            }
        }
        return bytes
    }

    // MARK: - Connecting

    private static func open(_ address: Address, deadline: Int64) -> Result<Int32, PlainHTTP.Failure> {
        switch address {
        case .host(let host, let port): Self.open(host: host, port: port, deadline: deadline)
        case .unix(let path): Self.open(path: path, deadline: deadline)
        }
    }

    /// Tries each address of the host.
    private static func open(host: String, port: Int, deadline: Int64) -> Result<Int32, PlainHTTP.Failure> {
        var hints = addrinfo()
        hints.ai_socktype = Self.stream
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .failure(.init(reason: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var result: Result<Int32, PlainHTTP.Failure> = .failure(.init(reason: "the host has no address"))
        var next = list
        while let entry = next?.pointee, let name = entry.ai_addr {
            result = Self.open(entry.ai_family, name, entry.ai_addrlen, deadline: deadline)
            if case .success = result { return result }
            next = entry.ai_next
        }
        return result
    }

    private static func open(path: String, deadline: Int64) -> Result<Int32, PlainHTTP.Failure> {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &name.sun_path) { target in
            guard bytes.count < target.count else { return false }
            target.copyBytes(from: bytes)
            return true
        }
        guard fits else { return .failure(.init(reason: "the path of the socket is too long")) }
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Self.open(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size), deadline: deadline)
            }
        }
    }

    private static func open(
        _ family: Int32, _ name: UnsafePointer<sockaddr>, _ length: socklen_t, deadline: Int64
    ) -> Result<Int32, PlainHTTP.Failure> {
        let descriptor = socket(family, Self.stream, 0)
        guard descriptor >= 0 else { return .failure(Self.failure()) }
        do throws(PlainHTTP.Failure) {
            let flags = fcntl(descriptor, F_GETFL)
            guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else { throw Self.failure() }
            if connect(descriptor, name, length) != 0 {
                guard errno == EINPROGRESS else { throw Self.failure() }
                try Self.wait(descriptor, for: POLLOUT, deadline: deadline)
                try Self.checkConnected(descriptor)
            }
            return .success(descriptor)
        } catch {
            close(descriptor)
            return .failure(error)
        }
    }

    private static func checkConnected(_ descriptor: Int32) throws(PlainHTTP.Failure) {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { throw Self.failure() }
        guard code == 0 else { throw Self.failure(code) }
    }

    private static func wait(
        _ descriptor: Int32, for events: Int32, deadline: Int64
    ) throws(PlainHTTP.Failure) {
        while true {
            let rest = deadline - MonotonicClock.milliseconds
            guard rest > 0 else { throw .init(reason: "no answer in time") }
            var entry = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
            let count = poll(&entry, 1, Int32(clamping: rest))
            if count > 0 { return }
            if count < 0, errno != EINTR { throw Self.failure() }
        }
    }

    private static func failure(_ code: Int32 = errno) -> PlainHTTP.Failure {
        PlainHTTP.Failure(reason: String(cString: strerror(code)))
    }

    /// A peer that is gone is an error of the call, not a signal.
    static var noSignal: Int32 {
        #if canImport(Darwin)
            0
        #else
            Int32(MSG_NOSIGNAL)
        #endif
    }

    /// Glibc makes an enumeration of it.
    static var stream: Int32 {
        #if canImport(Glibc)
            Int32(SOCK_STREAM.rawValue)
        #else
            SOCK_STREAM
        #endif
    }
}
