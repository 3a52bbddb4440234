import PosternCore
import Testing

@Suite struct HealthMachineTests {
    private static let second: Int64 = 1_000_000_000

    private static func machine(_ failures: Int = 3, verdict: HealthMachine.Verdict = .unknown) -> HealthMachine {
        HealthMachine(
            settings: .init(interval: 5 * Self.second, timeout: 2 * Self.second, failures: failures), verdict: verdict)
    }

    /// Fails so many checks, each at once; the time after the last one.
    private static func fail(_ machine: inout HealthMachine, times: Int, from now: Int64) -> Int64 {
        var now = now
        for _ in 0..<times {
            _ = machine.wake(now: now)
            guard case .wait(let next) = machine.ended(succeeded: false, now: now) else {
                Issue.record("a failure too early")
                return now
            }
            now = next
        }
        return now
    }

    @Test("the first check begins at once and has its time, the next one begins an interval after it")
    func firstCheck() {
        var machine = Self.machine()
        #expect(machine.verdict == .unknown)
        #expect(machine.wake(now: 100) == .check(deadline: 100 + 2 * Self.second))
        #expect(machine.ended(succeeded: true, now: 300) == .turned(.up, until: 100 + 5 * Self.second))
        #expect(machine.wake(now: 100 + 5 * Self.second) == .check(deadline: 100 + 7 * Self.second))
        #expect(machine.ended(succeeded: true, now: 101 + 5 * Self.second) == .wait(until: 100 + 10 * Self.second))
        #expect(machine.verdict == .up)
    }

    @Test("a check that took longer than the interval is followed by the next one at once")
    func slowCheck() {
        var machine = Self.machine()
        _ = machine.wake(now: 0)
        #expect(machine.ended(succeeded: false, now: 6 * Self.second) == .wait(until: 6 * Self.second))
    }

    @Test("as many failures in a row as are configured make it down, and that is said once")
    func down() {
        var machine = Self.machine()
        let now = Self.fail(&machine, times: 2, from: 0)
        #expect(machine.verdict == .unknown && machine.failures == 2)
        _ = machine.wake(now: now)
        #expect(machine.ended(succeeded: false, now: now) == .turned(.down, until: now + 5 * Self.second))
        #expect(machine.verdict == .down)
        for _ in 0..<5 {
            _ = machine.wake(now: now)
            #expect(machine.ended(succeeded: false, now: now) == .wait(until: now + 5 * Self.second))
        }
        #expect(machine.verdict == .down && machine.failures == 3)
    }

    @Test("one success is enough to be up again, and failures count from the beginning")
    func recovery() {
        var machine = Self.machine(2, verdict: .up)
        var now = Self.fail(&machine, times: 1, from: 0)
        _ = machine.wake(now: now)
        #expect(machine.ended(succeeded: false, now: now) == .turned(.down, until: now + 5 * Self.second))
        now += 5 * Self.second
        _ = machine.wake(now: now)
        #expect(machine.ended(succeeded: true, now: now + 1) == .turned(.up, until: now + 5 * Self.second))
        #expect(machine.failures == 0)
        now = Self.fail(&machine, times: 1, from: now + 5 * Self.second)
        _ = machine.wake(now: now)
        #expect(machine.ended(succeeded: true, now: now) == .wait(until: now + 5 * Self.second))
        #expect(machine.verdict == .up && machine.failures == 0)
    }

    @Test("a single failure is enough where that is configured")
    func oneFailure() {
        var machine = Self.machine(1)
        _ = machine.wake(now: 0)
        #expect(machine.ended(succeeded: false, now: 1) == .turned(.down, until: 5 * Self.second))
    }

    @Test("what was down before stays down until a check succeeds")
    func inheritedVerdict() {
        var machine = Self.machine(2, verdict: .down)
        _ = machine.wake(now: 0)
        #expect(machine.ended(succeeded: false, now: 0) == .wait(until: 5 * Self.second))
        #expect(machine.verdict == .down)
        _ = machine.wake(now: 0)
        #expect(machine.ended(succeeded: true, now: 0) == .turned(.up, until: 5 * Self.second))
    }

    @Test("settings that make no sense are the smallest that do, and the end of time is no overflow")
    func senselessSettings() {
        let settings = HealthMachine.Settings(interval: 0, timeout: -1, failures: 0)
        #expect(settings == HealthMachine.Settings(interval: 1, timeout: 1, failures: 1))
        var machine = HealthMachine(settings: .init(interval: .max, timeout: .max, failures: 1))
        #expect(machine.wake(now: 5) == .check(deadline: .max))
        #expect(machine.ended(succeeded: true, now: 6) == .turned(.up, until: .max))
    }
}
