import Foundation
import PosternCore
import PosternCrypto
import SystemPackage

/// The file that holds the master key: one line of base64url, mode 0600.
enum KeyFile {
    /// Reads the key, or makes it where `create` allows that. A file that others can read or write is refused: the key in
    /// it is no secret any more.
    static func load(_ path: String, create: Bool) throws(IssuerStartError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw .keyFile("\(path) cannot be opened: \(Self.reason())") }
            guard create else {
                throw .keyFile("\(path) is missing, and only it can open the store's keys; restore it")
            }
            return try Self.make(path)
        }
        defer { close(descriptor) }
        try Self.check(descriptor, path)
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { throw .keyFile("\(path) is empty") }
        let text = String(decoding: buffer.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let key = MasterKey.decode(text) else {
            throw .keyFile("\(path) does not hold 32 bytes in base64url or hexadecimal")
        }
        return key
    }

    private static func check(_ descriptor: Int32, _ path: String) throws(IssuerStartError) {
        guard let status = try? FileDescriptor(rawValue: descriptor).stat() else {
            throw .keyFile("\(path) cannot be read")
        }
        guard status.type == .regular else { throw .keyFile("\(path) is not a file") }
        guard status.permissions.isDisjoint(with: [.groupReadWriteExecute, .otherReadWriteExecute]) else {
            throw .keyFile("\(path) can be read by others; make a new key, or chmod 600 it if nobody did")
        }
        guard [geteuid(), 0].contains(status.userID.rawValue) else {
            throw .keyFile("\(path) belongs to another user")
        }
    }

    /// Written to a file beside it and linked into place, so that a second process starting at the same moment sees a
    /// whole key or none, and only one key wins.
    private static func make(_ path: String) throws(IssuerStartError) -> [UInt8] {
        let temporary = "\(path).\(getpid()).\(Base64URL.encode(Random.bytes(6)))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .keyFile("\(path) cannot be made: \(Self.reason())") }
        defer { unlink(temporary) }
        let key = Random.bytes(MasterKey.length)
        let line = Array((Base64URL.encode(key) + "\n").utf8)
        let written = write(descriptor, line, line.count) == line.count && fsync(descriptor) == 0
        guard close(descriptor) == 0, written else { throw .keyFile("\(path) cannot be written: \(Self.reason())") }
        if link(temporary, path) == 0 { return key }
        guard errno == EEXIST else { throw .keyFile("\(path) cannot be made: \(Self.reason())") }
        return try Self.load(path, create: false)
    }

    private static func reason() -> String {
        String(cString: strerror(errno))
    }
}
