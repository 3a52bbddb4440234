import PosternCore

private let rules = IssuerRules(
    name: "asked", issuer: nil, audiences: nil, algorithms: [], leeway: 30, tokenTypes: [], claims: ClaimMap())
private let now = 1_760_000_000.0

/// What issuers and other processes say: the first line names the kind, the rest is the text.
func fuzzShared(_ input: [UInt8]) {
    let parts = input.parts("\n", at: 2)
    guard parts.count == 2 else { return }
    switch String(decoding: parts[0], as: UTF8.self) {
    case "revocation": fuzzRevocation(parts[1])
    case "entry": fuzzEntry(parts[1])
    case let kind:
        guard let dialect = IntrospectionDialect(rawValue: kind) else { return }
        fuzzAnswer(parts[1], dialect)
    }
}

/// An active answer has the literal `true` in it once, and a principal of it is not over.
private func fuzzAnswer(_ body: [UInt8], _ dialect: IntrospectionDialect) {
    guard let answer = try? IntrospectionAnswer.read(body.span.bytes, dialect: dialect) else { return }
    guard case .active(let claims) = answer else { return }
    let member = dialect == .hecate ? "valid" : "active"
    check(claims[member] == .bool(true), "nothing but true is active")
    guard let principal = try? IntrospectionRules.principal(rules: rules, claims: claims, now: now) else { return }
    check(principal.expiresAt + rules.leeway > now, "a principal is not over")
    check(claims["cnf"] == nil, "a token that is bound to its sender is none")
    let facts = RevocationFacts(principal: principal, digest: nil)
    for subject in facts.subjects {
        var set = RevocationSet()
        set.insert(Revocation(.subject(subject, before: ClaimRules.latestDate)), until: .infinity)
        let isLate = facts.issuedAt.map { $0 >= ClaimRules.latestDate } ?? false
        check(set.revokes(facts) != isLate, "what revokes all tokens of a subject revokes this one")
    }
}

/// What is read is written and read again: the same revocation.
private func fuzzRevocation(_ member: [UInt8]) {
    guard let revocation = Revocation(json: member) else { return }
    let written = revocation.serialized
    check(Revocation(json: written) == revocation, "a revocation written anew is the same")
    var set = RevocationSet()
    set.insert(revocation, until: 1)
    check(set.count == 1, "a revocation is one entry")
    set.removeExpired(now: 2)
    check(set.count == 0, "a revocation is forgotten")
}

/// What is read is written and read again: the same entry.
private func fuzzEntry(_ octets: [UInt8]) {
    guard let entry = CacheEntry(serialized: octets) else { return }
    check(entry.fetchedAt >= 0 && entry.fetchedAt <= ClaimRules.latestDate, "an entry has a time")
    guard let written = entry.serialized else { return }
    check(CacheEntry(serialized: written) == entry, "an entry written anew is the same")
}
