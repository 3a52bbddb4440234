import Foundation
import PosternCore
import Testing

@testable import PosternIssuer

/// What is left on the disk when the process, or the machine, ends in the middle: the file and its log, without anything
/// that closing would have done, and the log perhaps cut off in the middle of what was being written.
@Suite struct SQLiteCrashTests {
    private static func revoke(_ store: SQLStore, _ number: Int) async throws {
        try await store.addRevocation(Revocation(.tokenID("t\(number)")), until: 2000, now: 1000, audit: .test)
    }

    /// A copy of the store as it lies there, its log cut off after that many octets.
    private static func crash(_ path: String, log: Int) throws -> String {
        let copy = try TemporaryFolder().file("store.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path + "-wal"))
        try bytes.prefix(log).write(to: URL(fileURLWithPath: copy + "-wal"))
        return copy
    }

    private static func logSize(_ path: String) throws -> Int {
        try Data(contentsOf: URL(fileURLWithPath: path + "-wal")).count
    }

    @Test("Whatever was acknowledged is there, what was half written is not, and the file is clean")
    func crash() async throws {
        let place = try await TestStore(.sqlite)
        let path = place.location.description
        let store = try await place.open()
        for number in 0..<20 { try await Self.revoke(store, number) }
        let before = try Self.logSize(path)
        try await Self.revoke(store, 20)
        let after = try Self.logSize(path)
        try #require(after > before)
        for cut in [before, before + 1, before + 24, (before + after) / 2, after - 1, after] {
            let copy = try Self.crash(path, log: cut)
            let location = StoreLocation.sqlite(path: copy)
            let opened = try await StoreConfiguration(location: location, keySource: .bytes([]), algorithm: .es256)
                .open()
            #expect(try await opened.value("PRAGMA integrity_check") == .text("ok"))
            #expect(try await opened.value("SELECT count(*) FROM pragma_foreign_key_check") == .integer(0))
            let revocations = try await opened.unpublishedRevocations(now: 1000, limit: 99)
            #expect(revocations.count == (cut == after ? 21 : 20), "\(cut) of \(before)...\(after)")
            #expect(try await opened.auditEntries(limit: 99).count == revocations.count)
            try await opened.addRevocation(Revocation(.tokenID("next")), until: 2000, now: 1000, audit: .test)
            #expect(try await opened.isRevoked(tokenID: "next"))
            await opened.close()
        }
        await store.close()
    }
}
