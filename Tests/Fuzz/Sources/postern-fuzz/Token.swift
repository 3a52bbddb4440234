import PosternCore

private let rules = IssuerRules(
    name: "permiso", issuer: "https://issuer.example", audiences: ["mt5-api"], leeway: 30, claims: ClaimMap())
private let identity = IdentityRules(limit: 2048)

/// Two lines are the JSON of header and claims, so that the fuzzer works on JSON and not on its encoding; anything else
/// is a token as it is.
func fuzzToken(_ input: [UInt8]) {
    guard input.count <= 8192 else { return }
    let lines = input.parts("\n", at: 2)
    var token = input
    if lines.count == 2 { token = Array("\(Base64URL.encode(lines[0])).\(Base64URL.encode(lines[1])).c2ln".utf8) }
    guard let compact = try? CompactToken(token.span.bytes) else { return }
    let parts = token.parts(".")
    check(parts.count == 3, "a token has three parts")
    for part in parts {
        let decoded = Base64URL.decode(part.span.bytes)
        check(decoded.map { Array(Base64URL.encode($0).utf8) } == part, "each part is canonical base64url")
    }
    check(
        compact.signingInput == ByteRange(0, parts[0].count + 1 + parts[1].count), "what is signed is header and claims"
    )
    checkJSON(compact.claims)
    guard
        let principal = try? ClaimRules.principal(rules: rules, claims: compact.claims, now: 1_760_000_000)
    else { return }
    check(principal.expiresAt + rules.leeway > 1_760_000_000, "a principal is not expired")
    check(compact.issuer == rules.issuer, "a principal is of the issuer")
    _ = principal.deadline(leeway: rules.leeway)
    if let lines = try? identity.lines(for: principal) { checkLines(lines) }
}

/// What was read is written and read again: the same value.
private func checkJSON(_ value: JSONValue) {
    let text = Array(value.serialized().utf8)
    guard let again = try? JSONReader.parse(text.span.bytes) else { return check(false, "JSON written anew is JSON") }
    check(again == value, "JSON written anew is the same value")
}

/// Identity lines are header lines, whatever the claims hold.
private func checkLines(_ lines: [UInt8]) {
    check(lines.count <= identity.limit, "identity lines are within their limit")
    let names = Set(IdentityHeader.defaults.map { $0.name.lowercased() })
    let plain = PlainHead(Array("-\r\n".utf8) + lines)
    check(Set(plain.fields.map(\.name)).count == plain.fields.count, "each identity header is there once")
    for field in plain.fields {
        check(names.contains(field.name), "only identity headers")
        check(field.value.allSatisfy { $0 >= 0x20 && $0 < 0x7F }, "values are printable ASCII")
        check(field.value.count > 1, "no empty value")
    }
}
