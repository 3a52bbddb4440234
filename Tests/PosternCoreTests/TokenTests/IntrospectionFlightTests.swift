import PosternCore
import Testing

/// Times here are milliseconds, as nanoseconds.
private func ms(_ count: Int64) -> Int64 { count * 1_000_000 }

@Suite("Introspection flight")
struct IntrospectionFlightTests {
    typealias Flight = IntrospectionFlight

    /// Two seconds; starts at 1000 ms.
    private func flight(_ issuers: [Int] = [4], usesRedis: Bool = true, patience: Int64? = nil) -> Flight {
        Flight(settings: .init(issuers: issuers, usesRedis: usesRedis, timeout: ms(2000), patience: patience))
    }

    /// On its way to the issuer, with the lock.
    private func asking(_ issuers: [Int] = [4]) -> Flight {
        var flight = self.flight(issuers)
        _ = flight.start(now: ms(1000))
        _ = flight.entry(.none, now: ms(1001))
        _ = flight.lockAnswered(.acquired, now: ms(1002))
        _ = flight.entry(.none, now: ms(1003))
        return flight
    }

    /// Another process has the lock; the first pause is over at 1007 ms.
    private func waiting(patience: Int64? = nil) -> Flight {
        var flight = self.flight(patience: patience)
        _ = flight.start(now: ms(1000))
        _ = flight.entry(.none, now: ms(1001))
        _ = flight.lockAnswered(.held, now: ms(1002))
        return flight
    }

    @Test func entryInRedisIsTheAnswer() {
        var flight = self.flight()
        #expect(flight.start(now: ms(1000)) == [.deadlineAt(ms(3000)), .get])
        #expect(!flight.isFinished)
        #expect(flight.entry(.active(issuer: 4), now: ms(1001)) == [.finish(.active(issuer: 4, source: .redis))])
        #expect(flight.isFinished)
        var other = self.flight()
        _ = other.start(now: 0)
        #expect(other.entry(.negative, now: 1) == [.finish(.inactive(.redis))])
    }

    @Test func missLooksAgainUnderTheLockAndAsks() {
        var flight = self.flight()
        _ = flight.start(now: ms(1000))
        #expect(flight.entry(.none, now: ms(1001)) == [.lock(milliseconds: 3000)])
        #expect(flight.lockAnswered(.acquired, now: ms(1002)) == [.get])
        #expect(flight.entry(.none, now: ms(1003)) == [.ask(issuer: 4)])
        #expect(
            flight.answered(issuer: 4, .active, now: ms(1050)) == [
                .storeActive(issuer: 4), .unlock, .finish(.active(issuer: 4, source: .issuer)),
            ])
    }

    /// The last holder stored its answer between the first look and the lock.
    @Test func secondLookFindsWhatTheLastHolderStored() {
        var flight = self.flight()
        _ = flight.start(now: 0)
        _ = flight.entry(.none, now: 1)
        _ = flight.lockAnswered(.acquired, now: 2)
        #expect(flight.entry(.active(issuer: 4), now: 3) == [.unlock, .finish(.active(issuer: 4, source: .redis))])
    }

    @Test func inactiveAnswerIsStored() {
        var flight = self.asking()
        #expect(
            flight.answered(issuer: 4, .inactive, now: ms(1050)) == [
                .storeNegative, .unlock, .finish(.inactive(.issuer)),
            ])
    }

    @Test func failureIsNeverStored() {
        var flight = self.asking()
        #expect(flight.answered(issuer: 4, .failed, now: ms(1050)) == [.unlock, .finish(.unavailable)])
    }

    @Test func firstIssuerThatSaysActiveDecides() {
        var flight = self.asking([7, 2, 5])
        #expect(flight.answered(issuer: 7, .inactive, now: 1) == [.ask(issuer: 2)])
        #expect(flight.answered(issuer: 7, .active, now: 1) == [])
        #expect(flight.answered(issuer: 5, .active, now: 1) == [])
        #expect(
            flight.answered(issuer: 2, .active, now: 2) == [
                .storeActive(issuer: 2), .unlock, .finish(.active(issuer: 2, source: .issuer)),
            ])
    }

    /// What three issuers say, and what comes of it.
    @Test(
        arguments: [
            ([.inactive, .inactive, .inactive], [.storeNegative, .unlock, .finish(.inactive(.issuer))]),
            ([.failed, .inactive, .inactive], [.unlock, .finish(.unavailable)]),
            ([.inactive, .failed, .inactive], [.unlock, .finish(.unavailable)]),
            ([.inactive, .inactive, .failed], [.unlock, .finish(.unavailable)]),
            ([.failed, .failed, .failed], [.unlock, .finish(.unavailable)]),
            (
                [.failed, .inactive, .active],
                [.storeActive(issuer: 2), .unlock, .finish(.active(issuer: 2, source: .issuer))]
            ),
        ] as [([Flight.IssuerAnswer], [Flight.Action])])
    func threeIssuers(_ answers: [Flight.IssuerAnswer], _ actions: [Flight.Action]) {
        var flight = self.asking([0, 1, 2])
        #expect(flight.answered(issuer: 0, answers[0], now: 1) == [.ask(issuer: 1)])
        #expect(flight.answered(issuer: 1, answers[1], now: 2) == [.ask(issuer: 2)])
        #expect(flight.answered(issuer: 2, answers[2], now: 3) == actions)
    }

    @Test func withoutRedisOnlyTheIssuersAreAsked() {
        var flight = self.flight([4, 4, 1], usesRedis: false)
        #expect(flight.start(now: 0) == [.deadlineAt(ms(2000)), .ask(issuer: 4)])
        #expect(flight.answered(issuer: 4, .inactive, now: 1) == [.ask(issuer: 1)])
        #expect(flight.answered(issuer: 1, .active, now: 2) == [.finish(.active(issuer: 1, source: .issuer))])
        var other = self.flight(usesRedis: false)
        _ = other.start(now: 0)
        #expect(other.answered(issuer: 4, .inactive, now: 1) == [.finish(.inactive(.issuer))])
    }

    /// An entry of an issuer that this token does not go to is none.
    @Test func entryOfAnotherIssuerDoesNotCount() {
        var flight = self.flight()
        _ = flight.start(now: 0)
        #expect(flight.entry(.active(issuer: 3), now: 1) == [.lock(milliseconds: 3000)])
    }

    // MARK: Waiting

    @Test func heldLockIsWaitedForInGrowingPauses() {
        var flight = self.flight()
        _ = flight.start(now: ms(1000))
        _ = flight.entry(.none, now: ms(1001))
        for pause in [5, 10, 20, 40, 50, 50, 50] as [Int64] {
            #expect(flight.lockAnswered(.held, now: ms(1002)) == [.wakeAt(ms(1002 + pause))])
            #expect(flight.wake(now: ms(1002 + pause)) == [.get])
            #expect(flight.entry(.none, now: ms(1002)) == [.lock(milliseconds: 3000)])
        }
        #expect(flight.lockAnswered(.acquired, now: ms(1500)) == [.get])
        #expect(flight.entry(.none, now: ms(1501)) == [.ask(issuer: 4)])
    }

    @Test func waiterFindsTheAnswerOfTheHolder() {
        var flight = self.waiting()
        #expect(flight.wake(now: ms(1007)) == [.get])
        #expect(flight.wake(now: ms(1008)) == [])
        #expect(flight.entry(.active(issuer: 4), now: ms(1009)) == [.finish(.active(issuer: 4, source: .redis))])
    }

    @Test func noPauseGoesBeyondTheDeadline() {
        var flight = self.waiting()
        _ = flight.wake(now: ms(1007))
        _ = flight.entry(.none, now: ms(1008))
        #expect(flight.lockAnswered(.held, now: ms(2995)) == [.wakeAt(ms(3000))])
        // Whichever of the two timers is first: it is too late to ask.
        #expect(flight.wake(now: ms(3000)) == [.finish(.unavailable)])
        #expect(flight.deadline(now: ms(3000)) == [])
    }

    @Test func patienceEndsInAskingWithoutTheLock() {
        var flight = self.waiting(patience: ms(100))
        _ = flight.wake(now: ms(1007))
        _ = flight.entry(.none, now: ms(1008))
        #expect(flight.lockAnswered(.held, now: ms(1095)) == [.wakeAt(ms(1100))])
        #expect(flight.wake(now: ms(1100)) == [.ask(issuer: 4)])
        // It is not the holder: what it stores helps the others, and the lock stays.
        #expect(
            flight.answered(issuer: 4, .active, now: ms(1200)) == [
                .storeActive(issuer: 4), .finish(.active(issuer: 4, source: .issuer)),
            ])
    }

    @Test func pausesMayBeGiven() {
        var flight = Flight(
            settings: .init(issuers: [1], usesRedis: true, timeout: ms(999), patience: ms(5000), pauses: []))
        #expect(flight.start(now: 0) == [.deadlineAt(ms(999)), .get])
        #expect(flight.entry(.none, now: 0) == [.lock(milliseconds: 1999)])
        #expect(flight.lockAnswered(.held, now: 0) == [.wakeAt(ms(50))])
    }

    // MARK: Redis fails

    @Test func redisThatDoesNotAnswerIsDoneWithout() {
        var first = self.flight()
        _ = first.start(now: 0)
        #expect(first.entry(.unavailable, now: 1) == [.ask(issuer: 4)])
        // It may be back, and others may wait for this answer.
        #expect(
            first.answered(issuer: 4, .active, now: 2) == [
                .storeActive(issuer: 4), .finish(.active(issuer: 4, source: .issuer)),
            ])
        var waiting = self.waiting()
        _ = waiting.wake(now: ms(1007))
        #expect(waiting.entry(.unavailable, now: ms(1008)) == [.ask(issuer: 4)])
        #expect(waiting.answered(issuer: 4, .failed, now: ms(1009)) == [.finish(.unavailable)])
    }

    /// The request for the lock may have arrived although its answer did not.
    @Test func lockThatMayBeHeldIsReleased() {
        var flight = self.flight()
        _ = flight.start(now: 0)
        _ = flight.entry(.none, now: 1)
        #expect(flight.lockAnswered(.unavailable, now: 2) == [.ask(issuer: 4)])
        #expect(
            flight.answered(issuer: 4, .inactive, now: 3) == [.storeNegative, .unlock, .finish(.inactive(.issuer))])
    }

    @Test func secondLookThatFailsAsksWithTheLock() {
        var flight = self.flight()
        _ = flight.start(now: 0)
        _ = flight.entry(.none, now: 1)
        _ = flight.lockAnswered(.acquired, now: 2)
        #expect(flight.entry(.unavailable, now: 3) == [.ask(issuer: 4)])
        #expect(flight.answered(issuer: 4, .failed, now: 4) == [.unlock, .finish(.unavailable)])
    }

    // MARK: The end

    @Test func deadlineEndsEveryState() {
        var reading = self.flight()
        _ = reading.start(now: ms(1000))
        #expect(reading.deadline(now: ms(2999)) == [])
        #expect(reading.deadline(now: ms(3000)) == [.finish(.unavailable)])
        #expect(reading.entry(.active(issuer: 4), now: ms(3001)) == [])
        var waiting = self.waiting()
        #expect(waiting.deadline(now: ms(3000)) == [.finish(.unavailable)])
        #expect(waiting.wake(now: ms(3001)) == [])
        var asking = self.asking()
        #expect(asking.deadline(now: ms(3000)) == [.unlock, .finish(.unavailable)])
        #expect(asking.answered(issuer: 4, .active, now: ms(3001)) == [])
        #expect(asking.deadline(now: ms(3002)) == [])
        #expect(asking.isFinished)
    }

    @Test(
        arguments: [(.acquired, [.unlock]), (.held, []), (.unavailable, [.unlock])]
            as [(Flight.LockAnswer, [Flight.Action])])
    func lockThatComesAfterTheEndIsReleased(_ answer: Flight.LockAnswer, _ actions: [Flight.Action]) {
        var flight = self.flight()
        _ = flight.start(now: ms(1000))
        _ = flight.entry(.none, now: ms(1001))
        #expect(flight.deadline(now: ms(3000)) == [.finish(.unavailable)])
        #expect(flight.lockAnswered(answer, now: ms(3001)) == actions)
        #expect(flight.isFinished)
    }

    @Test func nothingHappensBeforeTheStartAndNothingTwice() {
        var flight = self.flight()
        #expect(flight.entry(.none, now: 0) == [])
        #expect(flight.lockAnswered(.acquired, now: 0) == [])
        #expect(flight.answered(issuer: 4, .active, now: 0) == [])
        #expect(flight.wake(now: 0) == [])
        #expect(flight.deadline(now: Int64.max) == [])
        #expect(flight.start(now: ms(1000)) == [.deadlineAt(ms(3000)), .get])
        #expect(flight.start(now: ms(1000)) == [])
        #expect(flight.entry(.none, now: ms(1001)) == [.lock(milliseconds: 3000)])
        #expect(flight.entry(.none, now: ms(1001)) == [])
        #expect(flight.lockAnswered(.acquired, now: ms(1002)) == [.get])
        #expect(flight.lockAnswered(.held, now: ms(1002)) == [])
    }

    @Test func withoutAnIssuerNobodyKnows() {
        var flight = self.flight([], usesRedis: false)
        #expect(flight.start(now: 0) == [.deadlineAt(ms(2000)), .finish(.unavailable)])
        #expect(flight.answered(issuer: 0, .active, now: 0) == [])
    }
}
