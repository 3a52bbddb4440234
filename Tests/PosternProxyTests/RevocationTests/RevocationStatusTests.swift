import NIOCore
import PosternCore
import Testing

@testable import PosternProxy

@Suite(.timeLimit(.minutes(1))) struct RevocationStatusTests {
    private let log: OwnLog
    private let status: RevocationStatus

    init() throws {
        self.log = try OwnLog()
        self.status = RevocationStatus(logger: self.log.logger, patience: .hours(1))
    }

    private func messages() async throws -> [String?] { try await self.log.rest().map { $0["message"]?.string } }

    @Test func whereNobodyWantsThemThereIsNoReport() {
        #expect(self.status.report == nil)
        self.status.started()
        #expect(self.status.report != nil)
        self.status.stopped()
        #expect(self.status.report == nil)
    }

    @Test func theyAreKnownOnceTheyWereLoaded() throws {
        self.status.started()
        let before = try #require(self.status.report)
        #expect(!before.isUp && !before.isKnown)
        self.status.loaded(count: 3)
        let after = try #require(self.status.report)
        #expect(after.isUp && after.isKnown)
        #expect(after.downSeconds == 0)
    }

    @Test func theyStayKnownForAWhileWhenTheyAreLost() throws {
        self.status.started()
        self.status.loaded(count: 3)
        self.status.lost(reason: "closed")
        let report = try #require(self.status.report)
        #expect(!report.isUp && report.isKnown)
        #expect(report.downSeconds >= 0 && report.downSeconds < 60)
    }

    @Test(arguments: [true, false])
    func theyAreNotKnownWhenThatWasTooLong(wasLoaded: Bool) throws {
        let status = RevocationStatus(logger: self.log.logger, patience: .nanoseconds(0))
        status.started()
        if wasLoaded { status.loaded(count: 0) }
        #expect(status.report?.isKnown == wasLoaded)
        status.lost(reason: "closed")
        #expect(status.report?.isKnown == false)
    }

    @Test func theyAreNotKnownBeforeTheFirstLoadHoweverShortThatIs() {
        self.status.started()
        self.status.lost(reason: "refused")
        #expect(self.status.report?.isKnown == false)
    }

    @Test func outageIsMeasuredFromItsBeginning() throws {
        self.status.started()
        self.status.loaded(count: 0)
        self.status.lost(reason: "one")
        let first = try #require(self.status.report).downSeconds
        self.status.lost(reason: "two")
        #expect(try #require(self.status.report).downSeconds >= first)
    }

    @Test func changesAreLoggedOnce() async throws {
        self.status.started()
        self.status.loaded(count: 2)
        self.status.loaded(count: 3)
        let first = try await self.log.rest()
        #expect(first.map { $0["message"]?.string } == [RevocationScene.loaded])
        #expect(first.first?["revocations"]?.string == "2")
        self.status.lost(reason: "one")
        self.status.lost(reason: "two")
        let second = try await self.log.rest()
        #expect(second.map { $0["message"]?.string } == [RevocationScene.lost])
        #expect(second.first?["reason"]?.string == "one")
        #expect(second.first?["level"]?.string == "error")
        self.status.loaded(count: 4)
        let third = try await self.log.rest()
        #expect(third.map { $0["message"]?.string } == [RevocationScene.loaded])
        #expect(third.first?["outage_seconds"]?.string.flatMap(Double.init) != nil)
    }

    @Test func whatIsNoRevocationIsCountedAndLoggedOnce() async throws {
        self.status.started()
        for _ in 0..<5 { self.status.foundMalformed() }
        #expect(self.status.report?.malformed == 5)
        #expect(try await self.messages().count == 1)
    }
}
