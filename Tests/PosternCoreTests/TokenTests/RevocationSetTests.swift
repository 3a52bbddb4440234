import PosternCore
import Testing

@Suite("Revocation set")
struct RevocationSetTests {
    private func set(_ subjects: [Revocation.Subject], until: Double = 100) -> RevocationSet {
        var set = RevocationSet()
        for subject in subjects { set.insert(Revocation(subject), until: until) }
        return set
    }

    @Test func emptySetRevokesNothing() {
        #expect(!RevocationSet().revokes(RevocationFacts(tokenID: "a", subjects: ["u"], clients: ["c"])))
        #expect(!RevocationSet().revokes(RevocationFacts()))
        #expect(RevocationSet().count == 0)
    }

    @Test func tokenIsRevokedByWhatItHas() throws {
        let digest = try #require(RevocationTests.digest(1))
        let set = self.set([.tokenID("j"), .subject("u", before: 10), .client("c", before: 10), .token(digest)])
        #expect(set.count == 4)
        #expect(set.revokes(RevocationFacts(tokenID: "j", issuedAt: 50)))
        #expect(set.revokes(RevocationFacts(digest: digest)))
        #expect(set.revokes(RevocationFacts(subjects: ["x", "u"], issuedAt: 9)))
        #expect(set.revokes(RevocationFacts(clients: ["c"], issuedAt: 9)))
        // The tables are not mixed up.
        #expect(!set.revokes(RevocationFacts(tokenID: "u", subjects: ["c", "j"], clients: ["u", "j"])))
        #expect(!set.revokes(RevocationFacts(tokenID: "J", digest: RevocationTests.digest(2))))
    }

    @Test(
        arguments: [(9.9, true), (10, false), (10.1, false), (-1, true), (nil, true)] as [(Double?, Bool)])
    func beforeIsBeforeTheTime(_ issuedAt: Double?, _ revoked: Bool) {
        let set = self.set([.subject("u", before: 10), .client("c", before: 10)])
        #expect(set.revokes(RevocationFacts(subjects: ["u"], issuedAt: issuedAt)) == revoked)
        #expect(set.revokes(RevocationFacts(clients: ["c"], issuedAt: issuedAt)) == revoked)
    }

    @Test func laterBeforeAndLaterEndCount() {
        var set = RevocationSet()
        set.insert(Revocation(.subject("u", before: 10)), until: 100)
        set.insert(Revocation(.subject("u", before: 5)), until: 200)
        set.insert(Revocation(.subject("u", before: 20)), until: 50)
        #expect(set.count == 1)
        #expect(set.revokes(RevocationFacts(subjects: ["u"], issuedAt: 19)))
        set.removeExpired(now: 199)
        #expect(set.revokes(RevocationFacts(subjects: ["u"], issuedAt: 19)))
        set.removeExpired(now: 200)
        #expect(set.count == 0)
    }

    @Test func unknownEndIsNeverForgotten() {
        var set = self.set([.tokenID("a"), .client("c", before: 1)], until: .nan)
        set.insert(Revocation(.tokenID("a")), until: 5)
        set.removeExpired(now: 1e300)
        #expect(set.count == 2)
        set.replace(with: [(Revocation(.tokenID("a")), until: 5)])
        set.removeExpired(now: 5)
        #expect(set.count == 0)
    }

    @Test func generationChangesWithVerdictsAlone() {
        var set = RevocationSet()
        var last = set.generation
        func changed() -> Bool {
            defer { last = set.generation }
            return set.generation != last
        }
        set.insert(Revocation(.tokenID("a")), until: 10)
        #expect(changed())
        set.insert(Revocation(.tokenID("a")), until: 20)
        #expect(!changed())
        set.insert(Revocation(.client("c", before: 5)), until: 10)
        #expect(changed())
        set.insert(Revocation(.client("c", before: 5)), until: 30)
        set.insert(Revocation(.client("c", before: 4)), until: 30)
        #expect(!changed())
        set.insert(Revocation(.client("c", before: 6)), until: 30)
        #expect(changed())
        set.replace(with: [(Revocation(.client("c", before: 6)), until: 9), (Revocation(.tokenID("a")), until: 9)])
        #expect(!changed())
        set.removeExpired(now: 9)
        #expect(set.count == 0)
        #expect(!changed())
        set.replace(with: [(Revocation(.client("c", before: 7)), until: 9)])
        #expect(changed())
        set.replace(with: [(Revocation(.subject("c", before: 7)), until: 9)])
        #expect(changed())
        set.replace(with: [])
        #expect(changed())
    }

    /// What is published between the question and the answer is not lost, and gets its end from the answer if it can.
    @Test func loadKeepsWhatCameMeanwhile() {
        var set = self.set([.tokenID("old")])
        set.beginLoad()
        set.insert(Revocation(.tokenID("both")), until: .infinity)
        set.insert(Revocation(.tokenID("late")), until: .infinity)
        set.insert(Revocation(.subject("u", before: 20)), until: .infinity)
        set.replace(with: [
            (Revocation(.tokenID("both")), until: 50), (Revocation(.subject("u", before: 10)), until: 50),
        ])
        #expect(!set.revokes(RevocationFacts(tokenID: "old")))
        #expect(set.revokes(RevocationFacts(tokenID: "both")))
        #expect(set.revokes(RevocationFacts(tokenID: "late")))
        #expect(set.revokes(RevocationFacts(subjects: ["u"], issuedAt: 15)))
        set.removeExpired(now: 50)
        #expect(!set.revokes(RevocationFacts(tokenID: "both")))
        #expect(set.count == 2)
        // That load is over: the next answer alone counts, but for what comes after its own question.
        set.insert(Revocation(.tokenID("between")), until: .infinity)
        set.beginLoad()
        set.replace(with: [])
        #expect(set.count == 0)
    }
}
