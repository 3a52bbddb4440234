import NIOCore
import NIOHTTP1
import PosternCore
import Testing

@testable import PosternProxy

/// One flight a token, whichever event loops its requests are on, and what the others learn.
@Suite(.timeLimit(.minutes(1))) struct IntrospectionServiceTests {
    typealias Issuer = IntrospectionScene.Issuer

    // MARK: - Single flight

    @Test func tokenIsAskedAboutOnceForAllWhoWait() async throws {
        let scene = try await IntrospectionScene()
        var waiting: [EventLoopFuture<IntrospectionVerdict>] = []
        for number in 0..<20 { waiting.append(try await scene.begin(loop: number % 2)) }
        #expect(scene.service.status.flights == 1)
        let request = try await scene.server.next()
        #expect(request.token == "token-1")
        request.answerActive()
        for verdict in waiting {
            let verdict = try await verdict.get()
            #expect(verdict.user == "u1")
            #expect(verdict.accepted?.source == .issuer)
        }
        #expect(scene.server.paths == ["/asked"])
        #expect(scene.service.status.flights == 0)
        #expect(scene.service.status.endpoints.map(\.counts) == [[.active: 1]])
    }

    @Test func twoTokensAreTwoQuestions() async throws {
        let scene = try await IntrospectionScene()
        let (one, two) = (try await scene.begin("token-1"), try await scene.begin("token-2", loop: 1))
        #expect(scene.service.status.flights == 2)
        for _ in 0..<2 {
            let request = try await scene.server.next()
            request.answerActive("user of \(request.token)")
        }
        #expect(try await one.get().user == "user of token-1")
        #expect(try await two.get().user == "user of token-2")
    }

    @Test func tokenIsAskedAboutAgainAfterwards() async throws {
        let scene = try await IntrospectionScene()
        for user in ["u1", "u2"] {
            let verdict = try await scene.begin()
            try await scene.server.next().answerActive(user)
            #expect(try await verdict.get().user == user)
        }
    }

    @Test func tokensInFlightAreBounded() async throws {
        let scene = try await IntrospectionScene()
        let service = IntrospectionService(
            group: IntrospectionScene.group, loops: LoopList(), logger: scene.log.logger, flightLimit: 2)
        service.adopt(scene.rig.snapshot)
        let one = try await scene.begin("token-1", service: service)
        _ = try await scene.begin("token-2", service: service)
        #expect(try await scene.begin("token-3", service: service).get().isUnavailable)
        #expect(service.status.refusedFlights == 1)
        let again = try await scene.begin("token-1", service: service)
        #expect(service.status.flights == 2, "one that is in flight already is none more")
        for _ in 0..<2 { try await scene.server.next().answerActive() }
        #expect(try await one.get().user == "u1")
        #expect(try await again.get().user == "u1")
        #expect(scene.server.paths.count == 2)
        service.stop()
    }

    // MARK: - What the other event loops learn

    @Test(arguments: [0, 1])
    func answerIsForAllLoops(asking: Int) async throws {
        let scene = try await IntrospectionScene()
        let verdict = try await scene.begin(loop: asking)
        try await scene.server.next().answerActive()
        #expect(try await verdict.get().user == "u1")
        #expect(try await scene.metrics(1 - asking).cachedTokens == 1)
        #expect(try await scene.metrics(asking).cachedTokens == 0, "there the request itself takes it over")
    }

    @Test func rejectionIsForAllLoops() async throws {
        let scene = try await IntrospectionScene()
        let verdict = try await scene.begin()
        try await scene.server.next().answerInactive()
        #expect(try await verdict.get().problem == .inactive)
        let metrics = try await scene.metrics(1)
        #expect(metrics.rejectedTokens == 1)
        #expect(metrics.cachedTokens == 0)
    }

    @Test func failureIsLearnedByNobody() async throws {
        let scene = try await IntrospectionScene()
        let verdict = try await scene.begin()
        try await scene.server.next().answer("", status: .internalServerError)
        #expect(try await verdict.get().isUnavailable)
        let metrics = try await scene.metrics(1)
        #expect(metrics.rejectedTokens == 0 && metrics.cachedTokens == 0)
    }

    // MARK: - Several issuers

    private static let two = [Issuer(name: "one"), Issuer(name: "two")]

    @Test func firstThatCallsTheTokenActiveDecides() async throws {
        let scene = try await IntrospectionScene(Self.two)
        let verdict = try await scene.begin()
        try await scene.server.next().answerActive()
        #expect(try await verdict.get().accepted?.issuer == scene.issuers[0])
        #expect(scene.server.paths == ["/one"])
    }

    @Test func nextIsAskedWhereTheFirstSaysNo() async throws {
        let scene = try await IntrospectionScene(Self.two)
        let verdict = try await scene.begin()
        try await scene.server.next().answerInactive()
        try await scene.server.next().answerActive()
        #expect(try await verdict.get().accepted?.issuer == scene.issuers[1])
        #expect(scene.server.paths == ["/one", "/two"])
    }

    @Test(arguments: [(200, 200, true), (500, 200, false), (200, 500, false), (500, 500, false)])
    func tokenIsInactiveOnlyIfAllSaySo(row: (first: Int, second: Int, isInactive: Bool)) async throws {
        let scene = try await IntrospectionScene(Self.two)
        let verdict = try await scene.begin()
        for status in [row.first, row.second] {
            let request = try await scene.server.next()
            if status == 200 { request.answerInactive() } else { request.answer("", status: .init(statusCode: status)) }
        }
        let found = try await verdict.get()
        #expect((found.problem == .inactive) == row.isInactive)
        #expect(found.isUnavailable == !row.isInactive)
    }

    @Test func oneIssuersCircuitIsNotTheOthers() async throws {
        let scene = try await IntrospectionScene(Self.two)
        for number in 0..<5 {
            let verdict = try await scene.begin("token-\(number)")
            try await scene.server.next().answer("", status: .internalServerError)
            try await scene.server.next().answerInactive()
            #expect(try await verdict.get().isUnavailable)
        }
        #expect(scene.service.status.endpoints.map(\.isOpen) == [true, false])
    }

    // MARK: - Reload

    @Test func issuerThatStaysTheSameGoesOnAsItIs() async throws {
        let scene = try await IntrospectionScene()
        let verdict = try await scene.begin()
        let request = try await scene.server.next()
        scene.service.adopt(try scene.snapshot([Issuer(name: "new"), Issuer()]))
        scene.service.retire()
        request.answerActive()
        #expect(try await verdict.get().user == "u1")
        #expect(scene.service.status.endpoints.map(\.issuer) == ["new", "asked"])
        #expect(scene.service.status.endpoints.map(\.counts) == [[:], [.active: 1]])
    }

    /// Until every event loop has the new snapshot, requests on the others may still turn to the issuers of the old one.
    @Test func issuerThatIsGoneCanBeAskedUntilItIsRetired() async throws {
        let scene = try await IntrospectionScene()
        scene.service.adopt(try scene.snapshot([Issuer(settings: "timeout: 20s, cache: 30m")]))
        let before = try await scene.begin(issuers: scene.issuers)
        try await scene.server.next().answerActive()
        #expect(try await before.get().accepted?.issuer == scene.issuers[0])
        let underWay = try await scene.begin("token-2", issuers: scene.issuers)
        let request = try await scene.server.next()
        scene.service.retire()
        #expect(try await scene.begin("token-3", issuers: scene.issuers).get().isUnavailable)
        request.answerActive("u2")
        #expect(try await underWay.get().user == "u2", "what is under way is still answered")
        #expect(scene.server.paths.count == 2)
    }

    @Test func verdictOfAnIssuerThatALoopDoesNotHaveAnyMoreIsNotLearned() async throws {
        let scene = try await IntrospectionScene()
        let verdict = try await scene.begin()
        let request = try await scene.server.next()
        let other = try scene.snapshot([Issuer(settings: "timeout: 20s, cache: 30m")])
        try await scene.rig.on(1) { $0.adopt(other) }
        request.answerActive()
        #expect(try await verdict.get().user == "u1")
        #expect(try await scene.metrics(1).cachedTokens == 0)
    }

    @Test func issuerThatIsNotKnownHereIsNotAsked() async throws {
        let scene = try await IntrospectionScene()
        let stranger = try scene.snapshot([Issuer(name: "stranger")]).issuers
        for issuers in [stranger, scene.issuers + stranger] {
            #expect(try await scene.begin(issuers: issuers).get().isUnavailable)
        }
        #expect(scene.server.paths.isEmpty)
    }

    @Test func endOfTheProcessEndsWhatIsUnderWay() async throws {
        let scene = try await IntrospectionScene()
        let verdict = try await scene.begin()
        _ = try await scene.server.next()
        scene.service.stop()
        #expect(try await verdict.get().isUnavailable)
        #expect(try await scene.begin().get().isUnavailable)
        #expect(scene.service.status.endpoints.isEmpty)
    }
}
