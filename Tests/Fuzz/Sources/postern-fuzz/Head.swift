import PosternCore

private let limits = HeadLimits(head: 4096, target: 1024, fields: 40)
private let identity = IdentityRules()
private let client = ClientFacts(address: Array("192.0.2.1".utf8), scheme: "http")
private let open: Permit? = {
    guard let pattern = try? RoutePattern.parse("ANY /{rest...}", options: TargetOptions()) else { return nil }
    return PolicyCatalogue([(pattern: pattern, access: .open)]).permitOpen(route: 0)
}()

/// Names that a head to the upstream never has when the caller is anonymous.
private let removed: Set<String> = [
    "authorization", "connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "expect",
    "proxy-authorization", "forwarded",
]

func fuzzHead(_ input: [UInt8]) {
    guard let scanned = scanHead(input, limits: limits, skipsEmptyLine: true) else { return }
    check(scanned.end <= limits.head, "a head is within its limit")
    var head = RequestHead()
    guard (try? head.read(input.span.bytes, lines: scanned.lines, end: scanned.end, limits: limits)) != nil else {
        return
    }
    checkPlainReading(input, head)
    checkRewritten(input, head)
    guard
        let target = try? CheckedTarget.check(input.span.bytes, head.target, options: TargetOptions()),
        let permit = open
    else { return }
    var identifiers = Identifiers(random: IdentifierSource(seed: 1, 2))
    identifiers.assign(input.span.bytes, head)
    var output: [UInt8] = []
    let spoofed = UpstreamHead.compose(
        input.span.bytes, head, target, permit: permit, token: nil, identity: identity, forwardToken: false,
        client: client,
        identifiers: &identifiers, into: &output)
    checkUpstream(output, head, spoofed: spoofed)
}

/// The framing that was read against what the lines plainly say.
private func checkPlainReading(_ input: [UInt8], _ head: RequestHead) {
    let plain = PlainHead(Array(input[..<head.end]).withoutLeadingEmptyLine)
    plain.checkFraming("an accepted head")
    check(plain.count("host") == 1, "an accepted head has one Host")
    check(plain.count("authorization") == head.authorizationCount, "all Authorization fields are counted")
    check((head.framing == .chunked) == (plain.count("transfer-encoding") == 1), "chunked and Transfer-Encoding agree")
    if case .length = head.framing { check(plain.count("content-length") == 1, "a length has a Content-Length") }
    check(head.framing != .untilClose, "no request ends with the connection")
}

/// The same lines, written anew with other whitespace, are the same head.
private func checkRewritten(_ input: [UInt8], _ head: RequestHead) {
    var output = input.span.bytes.slice(head.requestLine).array() + [13, 10]
    for field in head.fields {
        output +=
            input.span.bytes.slice(field.name).array() + [0x3A] + input.span.bytes.slice(field.value).array() + [
                13, 10,
            ]
    }
    output += [13, 10]
    guard let scanned = scanHead(output, limits: limits, skipsEmptyLine: false) else {
        return check(false, "an accepted head, rewritten, is a head")
    }
    var again = RequestHead()
    guard (try? again.read(output.span.bytes, lines: scanned.lines, end: scanned.end, limits: limits)) != nil else {
        return check(false, "an accepted head, rewritten, is accepted")
    }
    check(again.method == head.method && again.framing == head.framing, "rewritten: method and framing")
    check(again.keepAlive == head.keepAlive && again.upgrade == head.upgrade, "rewritten: connection")
    check(again.fields.map(\.kind) == head.fields.map(\.kind), "rewritten: fields")
    check(again.authorizationCount == head.authorizationCount, "rewritten: credentials")
}

/// What goes to the upstream is itself a head that this strict parser takes, with the same framing, and holds nothing
/// that a client must not be able to send there.
private func checkUpstream(_ output: [UInt8], _ head: RequestHead, spoofed: Bool) {
    let wide = HeadLimits(head: 16384, target: 4096, fields: 100)
    guard let scanned = scanHead(output, limits: wide, skipsEmptyLine: false), scanned.end == output.count else {
        return check(false, "what goes upstream is exactly one head")
    }
    var sent = RequestHead()
    guard (try? sent.read(output.span.bytes, lines: scanned.lines, end: scanned.end, limits: wide)) != nil else {
        return check(false, "what goes upstream is accepted")
    }
    check(sent.framing == head.framing || head.framing == .none, "what goes upstream has the same framing")
    check(sent.minorVersion == 1, "what goes upstream is HTTP/1.1")
    let plain = PlainHead(output)
    plain.checkFraming("what goes upstream")
    for name in ["host", "x-request-id", "traceparent", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"] {
        check(plain.count(name) == 1, "what goes upstream has one \(name)")
    }
    for field in plain.fields {
        check(!removed.contains(field.name), "what goes upstream has no \(field.name)")
        let folded = field.name.replacing("_", with: "-")
        let speaksOfIdentity =
            folded.hasPrefix("x-user-") || folded.hasPrefix("x-auth-") || folded == "x-client-id"
            || folded == "x-client-trusted"
        check(!speaksOfIdentity, "what goes upstream has no \(field.name) of the client")
    }
}

extension [UInt8] {
    fileprivate var withoutLeadingEmptyLine: [UInt8] {
        self.starts(with: [13, 10]) ? Array(self.dropFirst(2)) : self
    }
}
