import PosternCore

private let limits = HeadLimits(head: 4096, target: 1024, fields: 40)

func fuzzResponseHead(_ input: [UInt8]) {
    guard let scanned = scanHead(input, limits: limits, skipsEmptyLine: false) else { return }
    for toHead in [false, true] {
        var head = ResponseHead()
        let lines = scanned.lines
        guard (try? head.read(input.span.bytes, lines: lines, end: scanned.end, toHead: toHead)) != nil else {
            continue
        }
        check(head.status >= 100 && head.status <= 599, "a status has three digits")
        PlainHead(Array(input[..<head.end])).checkFraming("an accepted response")
        if toHead || head.isInterim { check(head.framing == .none, "no body where there cannot be one") }
        for version in [UInt8(0), 1] { checkDownstream(input, head, version: version, toHead: toHead) }
    }
}

/// What goes to the client is itself a response head that this strict parser takes, with a framing that delimits the
/// same body.
private func checkDownstream(_ input: [UInt8], _ head: ResponseHead, version: UInt8, toHead: Bool) {
    let framing = DownstreamHead.framing(of: head, minorVersion: version)
    let facts = DownstreamHead.Client(minorVersion: version, close: framing == .untilClose || !head.keepAlive)
    var output: [UInt8] = []
    DownstreamHead.compose(input.span.bytes, head, client: facts, framing: framing, into: &output)
    let wide = HeadLimits(head: 16384, target: 4096, fields: 100)
    guard let scanned = scanHead(output, limits: wide, skipsEmptyLine: false), scanned.end == output.count else {
        return check(false, "what goes to the client is exactly one head")
    }
    var sent = ResponseHead()
    guard (try? sent.read(output.span.bytes, lines: scanned.lines, end: scanned.end, toHead: toHead)) != nil else {
        return check(false, "what goes to the client is accepted")
    }
    PlainHead(output).checkFraming("what goes to the client")
    check(sent.status == head.status, "the status is the upstream's")
    switch framing {
    case .plain: check(sent.framing == head.framing, "the body has the same length")
    case .chunked: check(sent.framing == .chunked, "the body is chunked")
    case .untilClose: check(sent.framing == .untilClose && !sent.keepAlive, "the body ends with the connection")
    }
}
