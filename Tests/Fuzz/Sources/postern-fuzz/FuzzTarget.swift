/// The targets by the names of their corpora.
enum FuzzTarget: String, CaseIterable {
    /// A request head, cut anywhere; what is sent upstream for it.
    case head
    /// An upstream's response head; what is sent to the client for it.
    case responseHead = "response-head"
    /// A chunked body, cut anywhere.
    case chunked
    /// A request target.
    case target
    /// Route keys, one a line, then paths to find among them.
    case route
    /// Authorization value and query.
    case credential
    /// A compact token, or its header and its claims as two lines of JSON.
    case token
    /// What other processes say of tokens: a line that names the kind (`rfc7662`, `hecate`, `revocation`, `entry`), then an
    /// issuer's answer, a published revocation, or an opened cache entry.
    case shared
    /// A PROXY header, cut anywhere.
    case proxyHeader = "proxy-header"
    /// A proxy.yaml.
    case yaml

    func run(_ input: [UInt8]) {
        switch self {
        case .head: fuzzHead(input)
        case .responseHead: fuzzResponseHead(input)
        case .chunked: fuzzChunked(input)
        case .target: fuzzTarget(input)
        case .route: fuzzRoute(input)
        case .credential: fuzzCredential(input)
        case .token: fuzzToken(input)
        case .shared: fuzzShared(input)
        case .proxyHeader: fuzzProxyHeader(input)
        case .yaml: fuzzYAML(input)
        }
    }
}

/// Ends the run when something that must hold does not: libFuzzer keeps the input.
func check(_ holds: Bool, _ rule: @autoclosure () -> String, line: UInt = #line, file: StaticString = #fileID) {
    if !holds { fatalError("broken: \(rule())", file: file, line: line) }
}

extension [UInt8] {
    /// The input's parts between the bytes `separator`.
    func parts(_ separator: Unicode.Scalar, at most: Int = Int.max) -> [[UInt8]] {
        self.split(separator: UInt8(ascii: separator), maxSplits: most - 1, omittingEmptySubsequences: false)
            .map { [UInt8]($0) }
    }

    /// Two cuts that depend on the input, so that every run of an input cuts it alike.
    var cuts: [Int] {
        guard self.count > 2 else { return [] }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in self { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let count = UInt64(self.count)
        return [Int(hash % count), Int((hash >> 32) % count)].sorted()
    }

    var lowercased: String { String(decoding: self, as: UTF8.self).lowercased() }
}
