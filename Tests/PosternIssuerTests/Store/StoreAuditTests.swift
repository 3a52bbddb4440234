import Testing

@testable import PosternIssuer

@Suite struct StoreAuditTests {
    private func entry(_ time: Double, _ action: AuditEntry.Action = .tokenIssued) -> AuditEntry {
        AuditEntry(time: time, action: action, isAllowed: true, actor: "client:c")
    }

    @Test("Entries come newest first, with everything in them", arguments: StoreKind.allCases)
    func keeps(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        let full = AuditEntry(
            time: 1_760_000_000.123456, action: .adminRefused, isAllowed: false, actor: "user:u", target: "client:c",
            reason: "insufficient_scope", address: "::1", requestID: "r1")
        let entries = AuditEntry.Action.allCases.map { self.entry(1000.5, $0) } + [full]
        try await store.addAudit(entries)
        try await store.addAudit([])
        #expect(try await store.auditEntries(limit: 100) == entries.reversed())
        #expect(try await store.auditEntries(limit: 1) == [full])
        #expect(try await store.auditEntries(limit: 0).isEmpty)
        await store.close()
    }

    @Test("What is older than a time is forgotten", arguments: StoreKind.allCases)
    func forgets(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        try await store.addAudit([self.entry(1), self.entry(2), self.entry(2.5), self.entry(3)])
        #expect(try await store.removeAudit(before: 2.5) == 2)
        #expect(try await store.auditEntries(limit: 9).map(\.time) == [3, 2.5])
        #expect(try await store.removeAudit(before: 2.5) == 0)
        await store.close()
    }

    @Test("A change that is refused leaves no entry; U+0000 keeps none out", arguments: StoreKind.allCases)
    func transaction(_ kind: StoreKind) async throws {
        let store = try await TestStore(kind).open()
        await #expect(throws: StoreRefusal.missing) { try await store.removeUser("u", now: 1, audit: .test) }
        #expect(try await store.auditEntries(limit: 9).isEmpty)
        try await store.endSession("none", now: 1, audit: AuditEntry.test.about("token:a\0b"))
        #expect(try await store.auditEntries(limit: 9).map(\.target) == ["token:a\u{FFFD}b"])
        await store.close()
    }
}
