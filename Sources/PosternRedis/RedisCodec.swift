import CHiredis
import NIOCore

// The only file that calls hiredis: commands into bytes, bytes into replies. Its objects are raw pointers that Swift
// cannot check, so every use of one is unsafe. The rules that keep it memory-safe:
// - hiredis' reader is owned by exactly one Swift object and freed once, in `deinit`; a formatted command is freed by a
//   `defer` in the function that had it made.
// - A pointer into Swift memory is passed only inside the closure that lends it, together with its own length.
// - hiredis builds no reply objects of its own: the functions below build Swift values at once, and refuse what is over
//   the limits before anything is allocated for it.

/// Formats commands. Keeps its scratch space, so that formatting allocates only what hiredis does.
struct RedisEncoder {
    private var flat: [UInt8] = []
    private var lengths: [Int] = []
    private var pointers: [UnsafePointer<CChar>?] = []

    /// Appends a command to `buffer`, as an array of bulk strings.
    ///
    /// - Parameter command: The name and the arguments: at least the name.
    /// - Returns: How many octets were appended; 0 if there was no memory for it.
    mutating func append(_ command: [[UInt8]], to buffer: inout ByteBuffer) -> Int {
        precondition(!command.isEmpty, "a command has a name")
        self.flat.removeAll(keepingCapacity: true)
        self.lengths.removeAll(keepingCapacity: true)
        for argument in command {
            self.flat.append(contentsOf: argument)
            self.lengths.append(argument.count)
        }
        // So that there is an address even if all arguments are empty.
        self.flat.append(0)
        return self.flat.withUnsafeBytes { bytes in
            self.pointers.removeAll(keepingCapacity: true)
            var offset = 0
            for length in self.lengths {
                self.pointers.append(bytes.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self))
                offset += length
            }
            var target: UnsafeMutablePointer<CChar>?
            let length = Int(
                redisFormatCommandArgv(&target, Int32(command.count), &self.pointers, self.lengths))
            defer { redisFreeCommand(target) }
            guard let target, length > 0 else { return 0 }
            return buffer.writeBytes(UnsafeRawBufferPointer(start: target, count: length))
        }
    }
}

/// Cuts the bytes of a connection into replies.
final class RedisDecoder {
    /// The bytes are no RESP2, or are over ``RedisLimits``. The decoder is of no use afterwards.
    struct Malformed: Error {}

    private let reader: UnsafeMutablePointer<redisReader>
    private let builder = ReplyBuilder()

    init() {
        guard let reader = redisReaderCreateWithFunctions(Self.functions) else {
            preconditionFailure("no memory for a reader")
        }
        self.reader = reader
        self.reader.pointee.privdata = Unmanaged.passUnretained(self.builder).toOpaque()
    }

    deinit {
        redisReaderFree(self.reader)
    }

    /// Takes bytes as they come from the socket.
    func feed(_ bytes: RawSpan) throws(Malformed) {
        let status = bytes.withUnsafeBytes { buffer in
            redisReaderFeed(self.reader, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        if status != REDIS_OK { throw Malformed() }
    }

    /// The next complete reply, or nil if more bytes are needed.
    func next() throws(Malformed) -> RedisReply? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(self.reader, &object) == REDIS_OK else { throw Malformed() }
        guard object == nil else {
            guard let reply = self.builder.take() else { throw Malformed() }
            return reply
        }
        // What waits for its end is either still in hiredis' buffer, or already part of the reply that is being built.
        let unread = Int(self.reader.pointee.len) - Int(self.reader.pointee.pos)
        guard unread + self.builder.bytes <= RedisLimits.bytes else { throw Malformed() }
        return nil
    }

    /// Never freed: it serves all readers. The functions find their builder by the task's `privdata`; what they return
    /// only has to be other than null, which says that there is no memory and ends the reading.
    nonisolated(unsafe) private static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        functions.initialize(to: redisReplyObjectFunctions())
        functions.pointee.createString = { task, text, length in
            guard let task, let builder = ReplyBuilder.from(task), let text else { return nil }
            return builder.string(task.pointee.type, UnsafeRawBufferPointer(start: text, count: Int(length)))
        }
        functions.pointee.createArray = { task, count in
            guard let task, task.pointee.type == REDIS_REPLY_ARRAY else { return nil }
            return ReplyBuilder.from(task)?.array(Int(count))
        }
        functions.pointee.createInteger = { task, value in task.flatMap(ReplyBuilder.from)?.leaf(.integer(value)) }
        functions.pointee.createNil = { task in task.flatMap(ReplyBuilder.from)?.leaf(.null) }
        functions.pointee.freeObject = { _ in }
        return functions
    }()
}

/// Puts the parts of a reply together in the order in which hiredis reads them: depth first.
private final class ReplyBuilder {
    private struct Open {
        var elements: [RedisReply]
        var missing: Int
    }

    private var open: [Open] = []
    private var complete: RedisReply?
    private var elements = 0
    /// Octets read for the reply that is being built, without its line ends.
    private(set) var bytes = 0

    static func from(_ task: UnsafePointer<redisReadTask>) -> ReplyBuilder? {
        guard let privdata = task.pointee.privdata else { return nil }
        return Unmanaged<ReplyBuilder>.fromOpaque(privdata).takeUnretainedValue()
    }

    private var token: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    /// The reply that is complete; the next begins.
    func take() -> RedisReply? {
        self.elements = 0
        self.bytes = 0
        return self.complete.take()
    }

    func string(_ type: Int32, _ bytes: UnsafeRawBufferPointer) -> UnsafeMutableRawPointer? {
        self.bytes += bytes.count
        guard self.bytes <= RedisLimits.bytes else { return nil }
        switch type {
        case REDIS_REPLY_STRING: return self.leaf(.string(Array(bytes)))
        case REDIS_REPLY_STATUS: return self.leaf(.status(String(decoding: bytes, as: UTF8.self)))
        case REDIS_REPLY_ERROR: return self.leaf(.error(String(decoding: bytes, as: UTF8.self)))
        default: return nil
        }
    }

    func array(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count >= 0, count <= RedisLimits.elements, self.open.count < RedisLimits.depth else { return nil }
        if count == 0 { return self.leaf(.array([])) }
        guard self.count() else { return nil }
        var elements: [RedisReply] = []
        // The count is the server's word only: what has not come takes no memory.
        elements.reserveCapacity(min(count, 64))
        self.open.append(Open(elements: elements, missing: count))
        return self.token
    }

    func leaf(_ reply: RedisReply) -> UnsafeMutableRawPointer? {
        guard self.count() else { return nil }
        var reply = reply
        while let last = self.open.indices.last {
            self.open[last].elements.append(reply)
            self.open[last].missing -= 1
            if self.open[last].missing > 0 { return self.token }
            reply = .array(self.open[last].elements)
            self.open.removeLast()
        }
        self.complete = reply
        return self.token
    }

    /// Counts one element; each takes three octets at the least.
    private func count() -> Bool {
        self.elements += 1
        self.bytes += 3
        return self.elements <= RedisLimits.elements && self.bytes <= RedisLimits.bytes
    }
}
