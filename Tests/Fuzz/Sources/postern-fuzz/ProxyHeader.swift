import PosternCore

/// A connection's first bytes. Whatever they are, and however they are cut, they say one thing.
func fuzzProxyHeader(_ input: [UInt8]) {
    let whole = ProxyHeader.read(input.span.bytes)
    let cuts = input.count <= 512 ? Array(0..<input.count) : input.cuts
    for cut in cuts {
        let part = ProxyHeader.read(input.span.bytes.extracting(0..<cut))
        check(part == .incomplete || part == whole, "a header is read alike however it is cut")
    }
    if case .incomplete = whole { check(input.count < ProxyHeader.limit, "a header is known by its limit") }
    guard case .complete(let source, let length) = whole else { return }
    check(length >= 15 && length <= min(input.count, ProxyHeader.limit), "a header is a part of what came")
    check(ProxyHeader.read(input.span.bytes.extracting(0..<length)) == whole, "what follows a header does not matter")
    guard case .address(let address) = source else { return }
    let text = address.text
    check(text.count >= 2 && text.count <= 45, "an address has the length of one")
    check(NetworkAddress(text.span.bytes) == address, "an address is read as it is written")
}
