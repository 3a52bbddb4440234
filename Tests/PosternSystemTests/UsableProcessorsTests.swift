import Testing

@testable import PosternSystem

@Suite("Usable processors")
struct UsableProcessorsTests {
    @Test(
        "the processors of a mask are counted",
        arguments: [
            ("Cpus_allowed:\t1\n", 1), ("Cpus_allowed:\t3\n", 2), ("Cpus_allowed:\tff,ffffffff\n", 40),
            ("Cpus_allowed:\t00000000,80000001\n", 2), ("Cpus_allowed_list:\t0-1\n", nil), ("Cpus_allowed:\t0\n", nil),
            ("Cpus_allowed:\tx\n", nil), ("Cpus_allowed:\n", nil), ("", nil),
        ])
    func mask(line: String, count: Int?) {
        #expect(UsableProcessors.allowed(line) == count)
    }

    @Test("there is always one")
    func atLeastOne() {
        #expect(UsableProcessors.count >= 1)
    }
}
