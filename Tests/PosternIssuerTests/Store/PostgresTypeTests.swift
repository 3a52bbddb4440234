import Testing

@testable import PosternIssuer

@Suite struct PostgresTypeTests {
    @Test(
        "Question marks become numbers, but not in quotes",
        arguments: [
            ("", ""), ("SELECT 1", "SELECT 1"), ("?", "$1"), ("a = ? AND b = ?", "a = $1 AND b = $2"),
            ("a = '?' AND b = ?", "a = '?' AND b = $1"), ("'it''s ?' = ?", "'it''s ?' = $1"),
            ("\"a?\" = ? OR '\"' = ?", "\"a?\" = $1 OR '\"' = $2"), ("'open ?", "'open ?"), ("ü = ?", "ü = $1"),
            ("(?,?,?,?,?,?,?,?,?,?)", "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)"),
        ])
    func placeholders(_ sql: String, _ expected: String) {
        #expect(PostgresPlaceholders.numbered(sql) == expected)
    }

    @Test("Arguments lie one after the other, each with an address")
    func arguments() {
        let some = PostgresArguments([.text("é"), .null, .blob([]), .integer(-2), .blob([0, 255])])
        #expect(some.types == [25, 0, 17, 20, 17])
        #expect(some.ranges == [0..<2, nil, 2..<2, 2..<10, 10..<12])
        #expect(some.octets == [0xC3, 0xA9] + [UInt8](repeating: 255, count: 7) + [254, 0, 255, 0])
        #expect(PostgresArguments([]).octets == [0])
    }

    @Test(
        "Values come from their binary form",
        arguments: [
            (16, [1], .integer(1)), (21, [255, 254], .integer(-2)), (23, [0x80, 0, 0, 0], .integer(-2_147_483_648)),
            (20, [127, 255, 255, 255, 255, 255, 255, 255], .integer(.max)),
            (20, [128, 0, 0, 0, 0, 0, 0, 0], .integer(.min)), (17, [0, 255], .blob([0, 255])), (17, [], .blob([])),
            (25, [0xC3, 0xA9], .text("é")), (19, [97], .text("a")), (1043, [], .text("")), (20, [1, 2, 3], nil),
            (20, [], nil), (701, [0, 0, 0, 0, 0, 0, 0, 0], nil),
        ] as [(UInt32, [UInt8], SQLValue?)])
    func values(_ type: UInt32, _ octets: [UInt8], _ expected: SQLValue?) {
        #expect((try? PostgresType.value(octets, of: type)) == expected)
    }

    @Test(
        "Errors that pass are told from those that stay, and nothing that was stored is said",
        arguments: [
            ("23505", "duplicate key", false, .failed, "23505 duplicate key"),
            ("22P02", "invalid input: \"s3cret\"", false, .failed, "22P02 a value was not accepted"),
            ("57014", "canceling statement", false, .unavailable, "57014 canceling statement"),
            ("40P01", "deadlock", false, .unavailable, "40P01 deadlock"),
            ("55P03", "lock", false, .unavailable, "55P03 lock"), ("53300", "full", false, .unavailable, "53300 full"),
            ("", "gone", true, .unavailable, "gone"), ("XX000", "internal", true, .unavailable, "XX000 internal"),
        ] as [(String, String, Bool, StoreError.Kind, String)])
    func failures(_ state: String, _ message: String, _ isLost: Bool, _ kind: StoreError.Kind, _ reason: String) {
        let error = PostgresFailure.error(state: state, message: message, isLost: isLost)
        #expect(error == StoreError(kind: kind, reason: reason))
    }
}
