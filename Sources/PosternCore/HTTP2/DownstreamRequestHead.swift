/// Makes a head of HTTP/1.1 of a request's fields in HTTP/2 (RFC 9113 section 8.3), so that it goes through the one strict
/// parser and the one gate. Reused from request to request: `begin`, `add` for each field in order, `finish`.
///
/// Nothing that a field holds can become a line of its own: names are tokens and values have no control characters before
/// they are written.
public struct DownstreamRequestHead: Sendable {
    /// What a finished head says that its stream needs.
    public struct Facts: Equatable, Sendable {
        /// How the content that follows is written for HTTP/1.1.
        public var framing: BodyFraming
        /// The request was HEAD: no content follows its response.
        public var toHead: Bool
        /// What an extended CONNECT (RFC 8441) asks for; nil: it is none.
        public var tunnel: Tunnel?

        public init(framing: BodyFraming, toHead: Bool, tunnel: Tunnel?) {
            self.framing = framing
            self.toHead = toHead
            self.tunnel = tunnel
        }
    }

    /// What is to be spoken in the tunnel that a stream asks to become.
    public enum Tunnel: Equatable, Sendable {
        /// Its handshake in HTTP/1.1 has a key, which is the proxy's.
        case webSocket
        case other
    }

    private var method: String?
    private var scheme: String?
    private var authority: String?
    private var path: String?
    private var proto: String?
    private var host: String?
    private var length: Int64?
    private var sawField = false
    /// The lines of all fields that are written as they come.
    private var lines: [UInt8] = []
    /// The crumbs of Cookie, joined (section 8.2.3).
    private var cookie: [UInt8] = []

    public init() {}

    /// Forgets the request before; keeps the memory.
    public mutating func begin() {
        self.method = nil
        self.scheme = nil
        self.authority = nil
        self.path = nil
        self.proto = nil
        self.host = nil
        self.length = nil
        self.sawField = false
        self.lines.removeAll(keepingCapacity: self.lines.capacity <= Self.keptCapacity)
        self.cookie.removeAll(keepingCapacity: self.cookie.capacity <= Self.keptCapacity)
    }

    /// Bytes of memory that are kept for the next request.
    private static let keptCapacity = 16 * 1024

    // MARK: - Fields

    /// Takes the next field.
    public mutating func add(_ name: String, _ value: String) throws(HTTP2Malformation) {
        if name.utf8.first == UInt8(ascii: ":") { return try self.addPseudo(name, value) }
        self.sawField = true
        let start = self.lines.count
        self.lines.append(contentsOf: name.utf8)
        let nameEnd = self.lines.count
        self.lines.append(": ")
        self.lines.append(contentsOf: value.utf8)
        let end = self.lines.count
        let kind = try HTTP2FieldRules.check(
            self.lines.span.bytes.extracting(start..<end), nameEnd: nameEnd &- start)
        if try self.isWritten(kind, value, line: start, name: nameEnd) {
            self.lines.append("\r\n")
        } else {
            self.lines.removeSubrange(start...)
        }
    }

    /// Whether the line from `start` stays where it is.
    private mutating func isWritten(
        _ kind: FieldName, _ value: String, line start: Int, name nameEnd: Int
    ) throws(HTTP2Malformation) -> Bool {
        switch kind {
        case .host:
            guard self.host == nil else { throw .hostMismatch }
            self.host = value
            return false
        case .te:
            // It is of the stream, and goes no further.
            guard value.lowercased() == "trailers" else { throw .teField }
            return false
        case .contentLength:
            let place = ByteRange(nameEnd &+ 2, self.lines.count)
            let length = decimal(self.lines.span.bytes, place)
            guard self.length == nil, let length else { throw .contentLength }
            self.length = length
            return true
        default:
            if self.lines.span.bytes.extracting(start..<nameEnd).equals("cookie") {
                if !self.cookie.isEmpty { self.cookie.append("; ") }
                self.cookie.append(contentsOf: value.utf8)
                return false
            }
            // The proxy asks in HTTP/1.1, with a key of its own (RFC 8441 section 5).
            guard self.proto != nil else { return true }
            return !self.lines.span.bytes.extracting(start..<nameEnd).equals("sec-websocket-key")
        }
    }

    private mutating func addPseudo(_ name: String, _ value: String) throws(HTTP2Malformation) {
        guard !self.sawField else { throw .pseudoOrder }
        switch name {
        case ":method": try Self.set(&self.method, value)
        case ":scheme": try Self.set(&self.scheme, value)
        case ":authority": try Self.set(&self.authority, value)
        case ":path": try Self.set(&self.path, value)
        case ":protocol": try Self.set(&self.proto, value)
        default: throw .pseudoUnknown
        }
    }

    private static func set(_ field: inout String?, _ value: String) throws(HTTP2Malformation) {
        guard field == nil else { throw .pseudoRepeated }
        field = value
    }

    // MARK: - The head

    /// Appends the head to `output`.
    ///
    /// - Parameters:
    ///   - endsStream: no content and no trailers follow.
    ///   - webSocketKey: the value of Sec-WebSocket-Key, for a stream that asks to become a WebSocket.
    public mutating func finish(
        endsStream: Bool, webSocketKey: () -> [UInt8], into output: inout [UInt8]
    ) throws(HTTP2Malformation) -> Facts {
        guard let method = self.method else { throw .pseudoMissing }
        if let authority { try self.checkAuthority(authority) }
        var facts = Facts(framing: .none, toHead: method == "HEAD", tunnel: nil)
        if method == "CONNECT" {
            if let proto {
                facts.tunnel = try self.writeTunnel(proto, webSocketKey, into: &output)
            } else {
                guard self.scheme == nil, self.path == nil, let authority else { throw .pseudoMissing }
                Self.writeStart("CONNECT", authority, &output)
            }
        } else {
            guard self.proto == nil else { throw .pseudoMissing }
            Self.writeStart(method, try self.checkedPath(method), &output)
        }
        guard facts.tunnel == nil else {
            self.writeRest(&output)
            output.append("\r\n")
            return facts
        }
        guard Self.isMethod(method) else { throw .pseudoValue }
        facts.framing = try self.framing(endsStream: endsStream)
        self.writeRest(&output)
        if facts.framing == .chunked { output.append("transfer-encoding: chunked\r\n") }
        output.append("\r\n")
        return facts
    }

    /// `:path`, for a request that is no plain CONNECT.
    private func checkedPath(_ method: String) throws(HTTP2Malformation) -> String {
        guard let scheme, let path else { throw .pseudoMissing }
        guard scheme == "https" || scheme == "http" else { throw .pseudoValue }
        let isAsterisk = path == "*" && method == "OPTIONS"
        guard isAsterisk || path.utf8.first == UInt8(ascii: "/") else { throw .pseudoValue }
        guard Self.isVisible(path) else { throw .pseudoValue }
        return path
    }

    private func checkAuthority(_ authority: String) throws(HTTP2Malformation) {
        guard !authority.isEmpty, Self.isVisible(authority) else { throw .pseudoValue }
        guard let host else { return }
        guard authority.utf8.elementsEqual(host.utf8, by: { $0.asciiLowercased == $1.asciiLowercased }) else {
            throw .hostMismatch
        }
    }

    private func framing(endsStream: Bool) throws(HTTP2Malformation) -> BodyFraming {
        guard let length = self.length else { return endsStream ? .none : .chunked }
        guard !endsStream || length == 0 else { throw .contentLength }
        return length == 0 ? .none : .length(length)
    }

    /// An extended CONNECT, as the upgrade of HTTP/1.1 that it means (RFC 8441 sections 4 and 5).
    private func writeTunnel(
        _ proto: String, _ webSocketKey: () -> [UInt8], into output: inout [UInt8]
    ) throws(HTTP2Malformation) -> Tunnel {
        guard self.authority != nil else { throw .pseudoMissing }
        guard Self.isMethod(proto) else { throw .pseudoValue }
        guard self.length == nil else { throw .contentLength }
        Self.writeStart("GET", try self.checkedPath("CONNECT"), &output)
        output.append("connection: Upgrade\r\nupgrade: ")
        output.append(contentsOf: proto.utf8)
        output.append("\r\n")
        guard proto.lowercased() == "websocket" else { return .other }
        output.append("sec-websocket-key: ")
        output.append(contentsOf: webSocketKey())
        output.append("\r\n")
        return .webSocket
    }

    private static func writeStart(_ method: String, _ target: String, _ output: inout [UInt8]) {
        output.append(contentsOf: method.utf8)
        output.append(UInt8(ascii: " "))
        output.append(contentsOf: target.utf8)
        output.append(" HTTP/1.1\r\n")
    }

    private func writeRest(_ output: inout [UInt8]) {
        if let host = self.authority ?? self.host {
            output.append("host: ")
            output.append(contentsOf: host.utf8)
            output.append("\r\n")
        }
        output.append(contentsOf: self.lines)
        guard !self.cookie.isEmpty else { return }
        output.append("cookie: ")
        output.append(contentsOf: self.cookie)
        output.append("\r\n")
    }

    private static func isVisible(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    private static func isMethod(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isTokenCharacter($0) }
    }
}
