/// A second opinion on request heads, written from 3-behaviour and RFC 9112 without an eye to speed: splits, trims,
/// compares text. It says only whether a head is accepted, and what is in it.
struct RequestOracle: Equatable {
    enum Verdict: Equatable {
        case accepted(RequestOracle)
        case refused
        case incomplete
    }

    enum Framing: Equatable {
        case none, chunked
        case length(Int64)
    }

    var method = ""
    var target = ""
    var minorVersion = 1
    var fields: [String] = []
    var framing = Framing.none
    var keepAlive = true
    /// Bytes of the head.
    var end = 0

    private static let tokenCharacters = Set(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { Self.tokenCharacters.contains($0) }
    }

    static func trim(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while rest.first == 0x20 || rest.first == 0x09 { rest = rest.dropFirst() }
        while rest.last == 0x20 || rest.last == 0x09 { rest = rest.dropLast() }
        return rest
    }

    /// The lines up to the empty one and the count of bytes used; nil lines when it is cut off.
    private static func lines(_ bytes: [UInt8]) -> (lines: [ArraySlice<UInt8>]?, end: Int, isBroken: Bool) {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        if bytes.starts(with: [13, 10]) { start = 2 }
        var i = start
        while i < bytes.count {
            if bytes[i] == 13 {
                guard i + 1 < bytes.count else { return (nil, 0, false) }
                guard bytes[i + 1] == 10 else { return (nil, 0, true) }
                if i == start { return lines.isEmpty ? (nil, 0, true) : (lines, i + 2, false) }
                lines.append(bytes[start..<i])
                i += 2
                start = i
                continue
            }
            if (bytes[i] < 0x20 && bytes[i] != 9) || bytes[i] == 0x7F { return (nil, 0, true) }
            i += 1
        }
        return (nil, 0, false)
    }

    static func read(_ bytes: [UInt8]) -> Verdict {
        let (lines, end, isBroken) = Self.lines(bytes)
        if isBroken { return .refused }
        guard let lines else { return .incomplete }
        var result = RequestOracle()
        result.end = end
        guard result.readRequestLine(lines[0]), result.readFields(lines.dropFirst()) else { return .refused }
        return .accepted(result)
    }

    private mutating func readRequestLine(_ line: ArraySlice<UInt8>) -> Bool {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, Self.isToken(parts[0]), parts[0].count <= 64 else { return false }
        guard !parts[1].isEmpty, !parts[1].contains(9) else { return false }
        let version = String(decoding: parts[2], as: UTF8.self)
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else { return false }
        self.method = String(decoding: parts[0], as: UTF8.self)
        self.target = String(decoding: parts[1], as: UTF8.self)
        self.minorVersion = version == "HTTP/1.1" ? 1 : 0
        return self.method != "CONNECT"
    }

    private mutating func readFields(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Bool {
        var values: [String: [String]] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), Self.isToken(line[..<colon]) else { return false }
            let name = String(decoding: line[..<colon], as: UTF8.self)
            let value = String(decoding: Self.trim(line[(colon + 1)...]), as: UTF8.self)
            self.fields.append("\(name): \(value)")
            values[name.lowercased(), default: []].append(value)
        }
        let hosts = values["host"] ?? []
        guard hosts.count == 1, Self.isPlainHost(hosts[0]) else { return false }
        guard (values["expect"] ?? []).isEmpty || values["expect"]?.map({ $0.lowercased() }) == ["100-continue"] else {
            return false
        }
        let options = (values["connection"] ?? []).flatMap { list in
            list.split(separator: ",").map {
                String(decoding: Self.trim(Array($0.utf8)[...]), as: UTF8.self).lowercased()
            }
        }
        guard !options.contains(where: { ["host", "content-length", "transfer-encoding"].contains($0) }) else {
            return false
        }
        self.keepAlive =
            !options.contains("close") && (self.minorVersion == 1 || options.contains("keep-alive"))
        return self.readFraming(lengths: values["content-length"] ?? [], codings: values["transfer-encoding"] ?? [])
    }

    private mutating func readFraming(lengths: [String], codings: [String]) -> Bool {
        guard lengths.count <= 1, codings.count <= 1, lengths.isEmpty || codings.isEmpty else { return false }
        if let coding = codings.first {
            self.framing = .chunked
            return coding.lowercased() == "chunked" && self.minorVersion == 1
        }
        guard let text = lengths.first else { return true }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = Int64(text), "\(value)" == text
        else { return false }
        self.framing = value == 0 ? .none : .length(value)
        return true
    }

    /// Enough for the hosts that the tests make: a name and perhaps a port.
    private static func isPlainHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, !parts[0].isEmpty else { return false }
        let allowed = Set("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        guard parts[0].utf8.allSatisfy({ allowed.contains($0) }) else { return false }
        guard parts.count == 2 else { return true }
        guard parts[1].utf8.count <= 5, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return parts[1].isEmpty || (Int(parts[1]) ?? 65536) <= 65535
    }
}
