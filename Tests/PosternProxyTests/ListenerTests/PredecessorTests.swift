import Testing

@testable import PosternProxy

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct PredecessorTests {
    @Test(
        arguments: [
            ("SigCgt:\t0000000100004803\n", true), ("SigCgt:\t0000000000000800\n", true),
            ("SigCgt:\t0000000100004003\n", false),
            ("SigCgt:\tfffffffffffff7ff\n", false), ("SigIgn:\t0000000000000800\n", nil), ("SigCgt:\n", nil),
            ("SigCgt:\tzz\n", nil), ("", nil),
        ] as [(String, Bool?)])
    func caughtSignalsAreRead(row: (String, Bool?)) {
        #expect(Predecessor.catchesSignal(line: row.0) == row.1)
    }

    @Test(arguments: [
        (0, "0 is no other process"), (-1, "-1 is no other process"), (getpid(), "\(getpid()) is no other process"),
        (Int32.max, "there is no process 2147483647 to take over"),
        (getppid(), "process \(getppid()) is no postern that runs: it does not understand to be taken over"),
    ])
    func whatIsNoPosternIsNotTakenOver(row: (Int32, String)) {
        do throws(Predecessor.Problem) {
            _ = try Predecessor(process: row.0)
            Issue.record("taken over")
        } catch {
            #expect(error.description == row.1)
        }
    }
}
