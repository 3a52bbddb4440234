import Testing

@testable import PosternProxy

@Suite struct ColdCodeTests {
    private static let lines: [(String, String, Range<UInt>?)] = [
        (
            "code of the program", "55d0a000-55d0b000 r-xp 00000000 fe:00 5360 /usr/bin/postern",
            0x55d0_a000..<0x55d0_b000
        ),
        (
            "code of a library, with the kernel's padding",
            "7f12e4c28000-7f12e4dbd000 r-xp 00028000 fe:00 2087                       /usr/lib/libc.so.6\n",
            0x7f12_e4c2_8000..<0x7f12_e4db_d000
        ),
        ("a path with spaces", "1000-2000 r-xp 00000000 fe:00 1 /opt/my programs/postern", 0x1000..<0x2000),
        ("a program that was replaced", "1000-2000 r-xp 00000000 fe:00 1 /usr/bin/postern (deleted)", 0x1000..<0x2000),
        ("data", "55d0a000-55d0b000 rw-p 00000000 fe:00 5360 /usr/bin/postern", nil),
        ("constants", "55d0a000-55d0b000 r--p 00000000 fe:00 5360 /usr/bin/postern", nil),
        ("code that can be written", "55d0a000-55d0b000 rwxp 00000000 fe:00 5360 /usr/bin/postern", nil),
        ("shared code", "55d0a000-55d0b000 r-xs 00000000 fe:00 5360 /usr/bin/postern", nil),
        (
            "the kernel's own page", "7ffd5f5f2000-7ffd5f5f4000 r-xp 00000000 00:00 0                          [vdso]",
            nil
        ),
        ("code without a file", "7f0000000000-7f0000001000 r-xp 00000000 00:00 0 ", nil),
        ("the stack", "7ffd5f400000-7ffd5f421000 rw-p 00000000 00:00 0                          [stack]", nil),
        ("an empty range", "1000-1000 r-xp 00000000 fe:00 1 /a", nil),
        ("a range that runs backwards", "2000-1000 r-xp 00000000 fe:00 1 /a", nil),
        ("no range", "1000 r-xp 00000000 fe:00 1 /a", nil), ("no numbers", "x-y r-xp 00000000 fe:00 1 /a", nil),
        ("more than an address", "10000000000000000-20000000000000000 r-xp 00000000 fe:00 1 /a", nil),
        ("nothing", "", nil),
    ]

    @Test(arguments: Self.lines)
    func onlyCodeFromFilesHasARange(row: (String, String, Range<UInt>?)) {
        #expect(ColdCode.codeRange(row.1) == row.2, "\(row.0)")
    }

    @Test func programGoesOnAfterItsCodeWasReleased() {
        ColdCode.release()
        #expect(ColdCode.codeRange("1000-2000 r-xp 00000000 fe:00 1 /a") == 0x1000..<0x2000)
    }
}
