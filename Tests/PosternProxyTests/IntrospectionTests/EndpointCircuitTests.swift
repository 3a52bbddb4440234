import NIOCore
import NIOHTTP1
import PosternCore
import Testing

@testable import PosternProxy

/// What keeps questions away from an issuer: the bound on those under way, and the circuit.
@Suite(.timeLimit(.minutes(1))) struct EndpointCircuitTests {
    private let scene: EndpointScene

    init() async throws {
        self.scene = try await EndpointScene()
    }

    /// Failures in a row that open the circuit.
    private static let failures = 5

    private func open() async throws {
        for _ in 0..<Self.failures {
            #expect(!self.scene.endpoint.status.isOpen)
            _ = try await self.scene.asked(status: .internalServerError, "")
        }
        try self.scene.log.wait(for: "the issuer does not answer: it is not asked until a probe succeeds")
    }

    // MARK: - How many at once

    @Test func questionThatIsOneTooManyIsNotAsked() async throws {
        let limit = IntrospectionEndpoint.limit
        let answers = (0..<limit).map { self.scene.ask("token-\($0)") }
        #expect(self.scene.endpoint.status.underWay == limit)
        for _ in 0..<3 { #expect(try await self.scene.ask("one more").get().kind == .failed) }
        #expect(self.scene.counts == [.overloaded: 3])
        #expect(!self.scene.endpoint.status.isOpen, "that says nothing of the issuer")
        for _ in 0..<limit { try await self.scene.server.next().answerActive() }
        for answer in answers { #expect(try await answer.get().kind == .active) }
        #expect(self.scene.endpoint.status.underWay == 0)
        #expect(try await self.scene.asked(#"{"active":true}"#).kind == .active, "there is room again")
        #expect(self.scene.counts == [.overloaded: 3, .active: UInt64(limit + 1)])
    }

    // MARK: - Circuit

    @Test func issuerThatFailsIsNotAskedAnyMore() async throws {
        try await self.open()
        #expect(self.scene.endpoint.status.isOpen && self.scene.endpoint.status.isOpen)
        #expect(try await self.scene.ask().get().kind == .failed)
        #expect(self.scene.counts == [.invalidAnswer: UInt64(Self.failures), .circuitOpen: 1])
        #expect(try await self.scene.server.next().token != "token-1", "what comes next is a probe")
    }

    @Test func verdictInBetweenStartsTheCountAnew() async throws {
        for _ in 0..<2 {
            for _ in 0..<(Self.failures - 1) { _ = try await self.scene.asked(status: .badGateway, "") }
            #expect(try await self.scene.asked(#"{"active":false}"#).kind == .inactive)
        }
        #expect(!self.scene.endpoint.status.isOpen)
        try await self.open()
    }

    @Test func probeThatIsAnsweredClosesIt() async throws {
        try await self.open()
        let probe = try await self.scene.server.next()
        #expect(probe.token.hasPrefix("postern-probe-"), "nobody's token")
        #expect(self.scene.endpoint.status.isOpen)
        probe.answerInactive()
        try self.scene.log.wait(for: "the issuer answers again")
        #expect(!self.scene.endpoint.status.isOpen)
        let counts = self.scene.counts
        #expect(try await self.scene.asked(#"{"active":true}"#).kind == .active)
        #expect(counts == [.invalidAnswer: UInt64(Self.failures)], "probes are not counted among the questions")
    }

    @Test func probeThatFailsIsFollowedByAnother() async throws {
        try await self.open()
        let first = try await self.scene.server.next()
        first.answer("", status: .unauthorized)
        let second = try await self.scene.server.next()
        #expect(self.scene.endpoint.status.isOpen)
        #expect(second.token.hasPrefix("postern-probe-"))
        #expect(second.token != first.token)
        second.answerInactive()
        try self.scene.log.wait(for: "the issuer answers again")
        #expect(!self.scene.endpoint.status.isOpen)
    }

    /// One that was under way when the circuit opened.
    @Test func lateVerdictClosesIt() async throws {
        let late = self.scene.ask("late")
        let request = try await self.scene.server.next()
        try await self.open()
        request.answerActive()
        #expect(try await late.get().kind == .active)
        #expect(!self.scene.endpoint.status.isOpen)
        try self.scene.log.wait(for: "the issuer answers again")
    }

    @Test func failuresAreLoggedAtMostOnceASecond() async throws {
        let before = ContinuousClock.now
        for _ in 0..<(Self.failures - 1) { _ = try await self.scene.asked(status: .badGateway, "") }
        let seconds = (ContinuousClock.now - before).components.seconds
        let lines = try await self.scene.log.rest()
        #expect((1...(1 + Int(seconds))).contains(lines.count))
    }

    // MARK: - The end

    @Test func issuerThatIsNotWantedAnyMoreIsNotAsked() async throws {
        let underWay = self.scene.ask()
        _ = try await self.scene.server.next()
        self.scene.endpoint.stop()
        #expect(try await underWay.get().kind == .failed)
        #expect(try await self.scene.ask().get().kind == .failed)
        #expect(self.scene.counts[.circuitOpen] == 1)
        #expect(self.scene.server.paths.count == 1)
    }
}
