import Testing

@testable import PosternCore

/// Times here are whole seconds, as nanoseconds.
private func seconds(_ count: Int64) -> Int64 { count * 1_000_000_000 }

@Suite("Key set machine")
struct KeySetMachineTests {
    typealias Machine = KeySetMachine

    /// Refresh 300 s, timeout 2 s, stale after 1000 s.
    private var fresh: Machine {
        Machine(
            settings: .init(refresh: seconds(300), timeout: seconds(2), maximumStale: seconds(1000)))
    }

    /// With keys since second 1; the next fetch is due at 301.
    private func loaded(maximumAge: Int64? = nil) -> Machine {
        var machine = self.fresh
        _ = machine.start(now: 0)
        _ = machine.fetchEnded(id: 1, .keys(count: 2, maximumAge: maximumAge), now: seconds(1), random: 0)
        return machine
    }

    @Test func startFetchesAtOnce() {
        var machine = self.fresh
        #expect(!machine.hasKeys)
        #expect(machine.keyAge(now: 0) == nil)
        #expect(machine.start(now: 0) == [.fetch(id: 1, deadline: seconds(2)), .wake(at: seconds(2))])
        #expect(machine.start(now: 0) == [])
    }

    @Test func keysArePublishedAndTheNextFetchIsDueAfterRefresh() {
        var machine = self.fresh
        _ = machine.start(now: 0)
        let actions = machine.fetchEnded(id: 1, .keys(count: 1, maximumAge: nil), now: seconds(1), random: 0)
        #expect(actions == [.publish, .resumeWaiters, .wake(at: seconds(301))])
        #expect(machine.hasKeys)
        #expect(machine.keyAge(now: seconds(31)) == seconds(30))
        #expect(machine.wake(now: seconds(300), random: 0) == [.wake(at: seconds(301))])
        #expect(
            machine.wake(now: seconds(301), random: 0) == [
                .fetch(id: 2, deadline: seconds(303)), .wake(at: seconds(303)),
            ])
        #expect(
            machine.fetchEnded(id: 2, .keys(count: 1, maximumAge: nil), now: seconds(302), random: 0) == [
                .publish, .resumeWaiters, .wake(at: seconds(602)),
            ])
    }

    /// max-age, and when the next fetch is due after keys that came at second 1.
    @Test(
        arguments: [
            (nil, 301), (0, 61), (59, 61), (60, 61), (90, 91), (3600, 3601), (3601, 3601), (86_400, 3601), (-5, 61),
            (9_000_000_000, 3601),
        ] as [(Int64?, Int64)])
    func maximumAgeShortensOrLengthensRefreshWithinAMinuteAndAnHour(_ age: Int64?, _ due: Int64) {
        var machine = self.fresh
        _ = machine.start(now: 0)
        let actions = machine.fetchEnded(
            id: 1, .keys(count: 1, maximumAge: age.map(seconds)), now: seconds(1), random: 0)
        #expect(actions.last == .wake(at: seconds(due)))
    }

    @Test func firstFetchThatFailsIsRepeatedWithBackoff() {
        var machine = self.fresh
        _ = machine.start(now: 0)
        var now: Int64 = 0
        // With the largest jitter the pauses are the ceilings: 2, 4, 8, 16, 30, 30 s.
        for (index, pause) in [2, 4, 8, 16, 30, 30, 30].enumerated() {
            let id = index + 1
            let actions = machine.fetchEnded(id: id, .failed, now: now, random: 0.999_999_999_999)
            #expect(machine.failures == id)
            #expect(actions.first == .resumeWaiters)
            guard case .wake(let at)? = actions.last else {
                Issue.record("no wake")
                return
            }
            #expect(abs(at - now - seconds(Int64(pause))) < 1000)
            now = at
            #expect(
                machine.wake(now: now, random: 0) == [
                    .fetch(id: id + 1, deadline: now + seconds(2)), .wake(at: now + seconds(2)),
                ])
        }
        #expect(!machine.hasKeys)
    }

    @Test(arguments: 1...10)
    func retryNeverComesBeforeOneSecondNorAfterThirty(_ failures: Int) {
        for random in [0, 0.25, 0.5, 0.999, 1, -1, .infinity, .nan] as [Double] {
            let delay = Machine.retryDelay(failures: failures, random: random)
            #expect(delay >= seconds(1) && delay <= seconds(30))
        }
        #expect(Machine.retryDelay(failures: failures, random: 0) == seconds(1))
        #expect(Machine.retryDelay(failures: Int.max, random: 0.5) == seconds(15) + 500_000_000)
    }

    @Test func successEndsTheBackoff() {
        var machine = self.fresh
        _ = machine.start(now: 0)
        _ = machine.fetchEnded(id: 1, .failed, now: seconds(1), random: 0)
        _ = machine.wake(now: seconds(2), random: 0)
        #expect(
            machine.fetchEnded(id: 2, .keys(count: 1, maximumAge: nil), now: seconds(3), random: 0) == [
                .publish, .resumeWaiters, .wake(at: seconds(303)),
            ])
        #expect(machine.failures == 0)
    }

    @Test func emptyKeySetCountsAsAFailure() {
        var machine = self.loaded()
        _ = machine.wake(now: seconds(301), random: 0)
        let actions = machine.fetchEnded(id: 2, .keys(count: 0, maximumAge: seconds(600)), now: seconds(302), random: 0)
        #expect(actions == [.resumeWaiters, .wake(at: seconds(303))])
        #expect(machine.hasKeys)
        #expect(machine.failures == 1)
    }

    @Test func failedRefreshKeepsTheOldKeysUntilTheyAreStale() {
        var machine = self.loaded()
        _ = machine.wake(now: seconds(301), random: 0)
        #expect(
            machine.fetchEnded(id: 2, .failed, now: seconds(303), random: 0) == [
                .resumeWaiters, .wake(at: seconds(304)),
            ])
        #expect(machine.hasKeys)
        // A retry in flight when the keys become stale at 1001: the wake is for that.
        #expect(
            machine.wake(now: seconds(1000), random: 0) == [
                .fetch(id: 3, deadline: seconds(1002)), .wake(at: seconds(1001)),
            ])
        #expect(machine.wake(now: seconds(1001), random: 0) == [.withdraw, .wake(at: seconds(1002))])
        #expect(!machine.hasKeys)
        #expect(
            machine.fetchEnded(id: 3, .keys(count: 1, maximumAge: nil), now: seconds(1002), random: 0) == [
                .publish, .resumeWaiters, .wake(at: seconds(1302)),
            ])
        #expect(machine.hasKeys)
    }

    @Test func keysBecomeStaleWhileARetryIsAwaited() {
        var machine = self.loaded()
        _ = machine.wake(now: seconds(301), random: 0)
        _ = machine.fetchEnded(id: 2, .failed, now: seconds(990), random: 0)
        for step in 1...3 as ClosedRange<Int64> {
            _ = machine.wake(now: seconds(990 + step), random: 0)
            _ = machine.fetchEnded(id: Int(step) + 2, .failed, now: seconds(990 + step), random: 0)
        }
        _ = machine.wake(now: seconds(994), random: 0)
        // Failure five: the retry would come at 1024, the keys are stale before.
        #expect(
            machine.fetchEnded(id: 6, .failed, now: seconds(994), random: 0.999_999_999_999) == [
                .resumeWaiters, .wake(at: seconds(1001)),
            ])
        let actions = machine.wake(now: seconds(1001), random: 0)
        #expect(actions.first == .withdraw)
        #expect(actions.count == 2)
        #expect(machine.keysMissing(now: seconds(1001)) == .refuse)
    }

    @Test func keysThatAreAlreadyStaleGoWithTheFirstFailure() {
        var machine = Machine(settings: .init(refresh: seconds(300), timeout: seconds(2), maximumStale: 0))
        _ = machine.start(now: 0)
        _ = machine.fetchEnded(id: 1, .keys(count: 1, maximumAge: nil), now: seconds(1), random: 0)
        #expect(machine.wake(now: seconds(200), random: 0) == [.wake(at: seconds(301))])
        #expect(machine.hasKeys)
        _ = machine.wake(now: seconds(301), random: 0)
        #expect(
            machine.fetchEnded(id: 2, .failed, now: seconds(302), random: 0) == [
                .withdraw, .resumeWaiters, .wake(at: seconds(303)),
            ])
    }

    @Test func fetchThatNeverEndsIsAbandonedAtItsDeadline() {
        var machine = self.fresh
        _ = machine.start(now: 0)
        #expect(machine.wake(now: seconds(1), random: 0) == [.wake(at: seconds(2))])
        #expect(
            machine.wake(now: seconds(2), random: 0) == [
                .cancelFetch(id: 1), .resumeWaiters, .wake(at: seconds(3)),
            ])
        // What it reports afterwards is ignored.
        #expect(machine.fetchEnded(id: 1, .keys(count: 1, maximumAge: nil), now: seconds(3), random: 0) == [])
        #expect(!machine.hasKeys)
        _ = machine.wake(now: seconds(3), random: 0)
        #expect(machine.fetchEnded(id: 1, .keys(count: 1, maximumAge: nil), now: seconds(3), random: 0) == [])
        #expect(!machine.hasKeys)
    }

    @Test func unknownKeyStartsOneFetchThatAllShare() {
        var machine = self.loaded()
        let first = machine.unknownKey(now: seconds(20))
        #expect(first.answer == .wait(until: seconds(22)))
        #expect(first.actions == [.fetch(id: 2, deadline: seconds(22)), .wake(at: seconds(22))])
        let second = machine.unknownKey(now: seconds(21))
        #expect(second.answer == .wait(until: seconds(22)))
        #expect(second.actions == [])
        #expect(
            machine.fetchEnded(id: 2, .keys(count: 3, maximumAge: nil), now: seconds(21), random: 0) == [
                .publish, .resumeWaiters, .wake(at: seconds(321)),
            ])
    }

    @Test func unknownKeyIsRefusedAtOnceWithinTenSecondsOfTheLastRefetch() {
        var machine = self.loaded()
        _ = machine.unknownKey(now: seconds(20))
        _ = machine.fetchEnded(id: 2, .keys(count: 3, maximumAge: nil), now: seconds(21), random: 0)
        for now in [21, 25, 29] as [Int64] {
            let again = machine.unknownKey(now: seconds(now))
            #expect(again.answer == .refuse)
            #expect(again.actions == [])
        }
        let later = machine.unknownKey(now: seconds(30))
        #expect(later.answer == .wait(until: seconds(32)))
        #expect(later.actions == [.fetch(id: 3, deadline: seconds(32)), .wake(at: seconds(32))])
    }

    @Test func unknownKeyJoinsAScheduledFetch() {
        var machine = self.loaded()
        _ = machine.wake(now: seconds(301), random: 0)
        let joined = machine.unknownKey(now: seconds(302))
        #expect(joined.answer == .wait(until: seconds(303)))
        #expect(joined.actions == [])
        _ = machine.fetchEnded(id: 2, .keys(count: 1, maximumAge: nil), now: seconds(302), random: 0)
        // The scheduled fetch did not use up the ten seconds.
        #expect(machine.unknownKey(now: seconds(303)).answer == .wait(until: seconds(305)))
    }

    @Test func failedRefetchResumesTheWaitersAndKeepsTheKeys() {
        var machine = self.loaded()
        _ = machine.unknownKey(now: seconds(20))
        #expect(
            machine.fetchEnded(id: 2, .failed, now: seconds(22), random: 0) == [
                .resumeWaiters, .wake(at: seconds(23)),
            ])
        #expect(machine.hasKeys)
        #expect(machine.unknownKey(now: seconds(22)).answer == .refuse)
    }

    @Test func requestWithoutKeysWaitsOnlyForAFetchInFlight() {
        var machine = self.fresh
        #expect(machine.keysMissing(now: 0) == .refuse)
        _ = machine.start(now: 0)
        #expect(machine.keysMissing(now: seconds(1)) == .wait(until: seconds(2)))
        _ = machine.fetchEnded(id: 1, .failed, now: seconds(2), random: 0)
        #expect(machine.keysMissing(now: seconds(2)) == .refuse)
    }

    @Test func stopEndsEverything() {
        var machine = self.loaded()
        _ = machine.unknownKey(now: seconds(20))
        #expect(machine.stop() == [.cancelFetch(id: 2), .resumeWaiters])
        #expect(machine.fetchEnded(id: 2, .keys(count: 1, maximumAge: nil), now: seconds(21), random: 0) == [])
        #expect(machine.wake(now: seconds(400), random: 0) == [])
        #expect(machine.start(now: seconds(400)) == [])
        #expect(machine.unknownKey(now: seconds(400)).answer == .refuse)
        #expect(machine.stop() == [])
        var idle = self.fresh
        #expect(idle.stop() == [])
        var sleeping = self.loaded()
        #expect(sleeping.stop() == [])
    }

    @Test func timesAtTheEndOfTheRangeDoNotTrap() {
        var machine = Machine(
            settings: .init(refresh: Int64.max, timeout: Int64.max, maximumStale: Int64.max))
        #expect(machine.start(now: seconds(1)) == [.fetch(id: 1, deadline: Int64.max), .wake(at: Int64.max)])
        let actions = machine.fetchEnded(id: 1, .keys(count: 1, maximumAge: nil), now: Int64.max, random: 0)
        #expect(actions == [.publish, .resumeWaiters, .wake(at: Int64.max)])
    }

    /// Whatever comes in whatever order: one fetch at a time, a wake after every change, waiters freed by every end.
    @Test func randomEventsKeepThePromises() {
        var generator = TokenTestGenerator(state: 11)
        for _ in 0..<300 {
            var machine = self.fresh
            var now: Int64 = 0
            var inFlight: Int?
            var hasKeys = false
            var actions = machine.start(now: now)
            for _ in 0..<60 {
                for action in actions {
                    switch action {
                    case .fetch(let id, let deadline):
                        #expect(inFlight == nil)
                        #expect(deadline == now + seconds(2))
                        inFlight = id
                    case .cancelFetch(let id):
                        #expect(inFlight == id)
                        inFlight = nil
                    case .publish: hasKeys = true
                    case .withdraw:
                        #expect(hasKeys)
                        hasKeys = false
                    case .resumeWaiters: #expect(inFlight == nil)
                    case .wake(let at): #expect(at > now)
                    }
                }
                #expect(machine.hasKeys == hasKeys)
                now += Int64.random(in: 0...seconds(40), using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: actions = machine.wake(now: now, random: 0.5)
                case 1: actions = machine.unknownKey(now: now).actions
                default:
                    let outcome: Machine.FetchOutcome =
                        Bool.random(using: &generator) ? .failed : .keys(count: 1, maximumAge: nil)
                    let id = inFlight ?? 0
                    actions = machine.fetchEnded(id: id, outcome, now: now, random: 0.5)
                    if !actions.isEmpty { inFlight = nil }
                }
            }
        }
    }
}

@Suite("Cache-Control")
struct CacheControlTests {
    @Test(
        arguments: [
            ("max-age=600", 600), ("public, max-age=60, must-revalidate", 60), ("MAX-AGE=5", 5), (" max-age = 7 ", 7),
            ("max-age=\"8\"", 8), ("no-cache", 0), ("no-store, max-age=60", 0), ("max-age=60, no-store", 0),
            ("max-age=60, max-age=30", 30), ("max-age=99999999999999999999999", 1_000_000_000),
            ("max-age=0", 0), ("max-age=x, max-age=9", 9), ("s-maxage=5, max-age=6", 6),
            ("", nil), ("public", nil), ("max-age", nil), ("max-age=", nil), ("max-age=-1", nil), ("max-age=1.5", nil),
            ("max-age=\"\"", nil), ("max-age=\"", nil), ("xmax-age=5", nil), ("max-age=1 2", nil), (",,=,", nil),
        ] as [(String, Int64?)])
    func maximumAgeIsRead(_ field: String, _ expected: Int64?) {
        #expect(CacheControl.maximumAge(field) == expected.map(seconds))
    }
}
