import PosternCore

private let limit = 256

/// First line: an Authorization value (whitespace around it is taken off, as the head parser does). Second: a query.
func fuzzCredential(_ input: [UInt8]) {
    let lines = input.parts("\n", at: 2)
    let query = lines.count > 1 ? lines[1] : []
    let value = lines[0].trimmed
    let bytes = value + query
    let found = { (count: Int, query: ByteRange) in
        Credential.find(
            bytes.span.bytes, authorization: ByteRange(0, value.count), count: count, query: query, limit: limit)
    }
    let queryRange = ByteRange(value.count, bytes.count)
    check(found(0, queryRange) == .none, "without a header there is no credential")
    check(found(2, queryRange) == .refused(.repeatedHeader), "two headers are refused")
    let alone = found(1, .none)
    let result = found(1, queryRange)
    if result != alone {
        check(result == .refused(.twoPlaces), "a query only ever adds the problem of two places")
        guard case .token = alone else { return check(false, "two places need a token in the header") }
    }
    guard case .token(let range) = result else { return }
    let token = Array(bytes[range.range])
    check(!token.isEmpty && token.count <= limit, "a token is within its limit")
    check(Int(range.end) == value.count, "a token ends where the value ends")
    let body = token.reversed().drop { $0 == UInt8(ascii: "=") }
    check(!body.isEmpty, "a token is more than padding")
    for byte in body {
        let scalar = Unicode.Scalar(byte)
        check(
            scalar.isASCII
                && (Character(scalar).isLetter || Character(scalar).isNumber || "-._~+/".contains(Character(scalar))),
            "a b64token")
    }
    let scheme = Array(bytes[..<Int(range.start)])
    check(scheme.lowercased.hasPrefix("bearer "), "the scheme is Bearer")
    check(scheme.dropFirst(6).allSatisfy { $0 == 0x20 }, "only spaces between scheme and token")
    // `access_token` in plain or escaped spelling, as a parameter's name.
    for parameter in query.parts("&") {
        let name = parameter.parts("=")[0]
        check(percentDecoded(name) != Array("access_token".utf8), "no second token in the query")
    }
}

extension [UInt8] {
    fileprivate var trimmed: [UInt8] {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        return Array(self.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
