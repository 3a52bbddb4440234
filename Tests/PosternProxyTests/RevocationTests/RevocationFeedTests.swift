import NIOCore
import PosternCore
import Testing

@testable import PosternProxy

/// What is heard of revocations, and when it counts.
@Suite(.timeLimit(.minutes(1))) struct RevocationFeedTests {
    private typealias Scene = RevocationScene
    private let scene: RevocationScene

    init() async throws {
        self.scene = try await RevocationScene()
    }

    private static func page(_ cursor: String, _ jtis: [String]) -> RESP {
        let members = jtis.flatMap { [RESP.bulk(Scene.member(jti: $0)), .bulk(Scene.later)] }
        return .array([.bulk(cursor), .array(members)])
    }

    // MARK: - Loading

    @Test func setIsLoadedOnceTheSubscriptionStands() async throws {
        self.scene.server.set(.reply(.error("NOPERM not yet")), for: "SUBSCRIBE")
        self.scene.server.set(.hold, for: "ZSCAN")
        try await self.scene.start()
        #expect(try await self.scene.server.next("SUBSCRIBE").text == ["SUBSCRIBE", "postern:revocations"])
        try self.scene.log.wait(for: Scene.lost)
        #expect(self.scene.server.received("ZSCAN").isEmpty, "what is published meanwhile would be missed")
        self.scene.server.set(nil, for: "SUBSCRIBE")
        let scan = try await self.scene.server.next("ZSCAN")
        #expect(scan.text.prefix(3) == ["ZSCAN", "postern:revocations", "0"])
        #expect(try await self.scene.refusals() == [.revocationsUnknown, .revocationsUnknown])
        #expect(self.scene.status.report?.isKnown == false)
        scan.answer(Self.page("0", ["t1"]))
        try self.scene.waitForLoad()
        #expect(try await self.scene.refusals() == [nil, nil])
        #expect(try await self.scene.refusals(jti: "t1") == [Scene.revoked, Scene.revoked])
        #expect(self.scene.status.report?.isKnown == true)
        #expect(self.scene.status.report?.isUp == true)
    }

    @Test func everyPageIsLoaded() async throws {
        self.scene.server.set(.hold, for: "ZSCAN")
        try await self.scene.start()
        for (cursor, next, jtis) in [("0", "17", ["t1", "t2"]), ("17", "5", []), ("5", "0", ["t2", "t3"])] {
            let scan = try await self.scene.server.next("ZSCAN")
            #expect(scan.text[2] == cursor)
            #expect(try await self.scene.refusals(jti: "t1") == [.revocationsUnknown, .revocationsUnknown])
            scan.answer(Self.page(next, jtis))
        }
        #expect(try self.scene.log.wait(for: Scene.loaded)["revocations"]?.string == "3")
        for jti in ["t1", "t2", "t3"] {
            #expect(try await self.scene.refusals(jti: jti) == [Scene.revoked, Scene.revoked])
        }
        #expect(try await self.scene.counts() == [3, 3])
    }

    @Test func membersOfEveryKindCountUntilTheirTimeIsOver() async throws {
        try await self.scene.start(with: [
            (Scene.member(jti: "t1"), Scene.later), (Scene.member(jti: "over"), "1700000000"),
            (#"{"sub":"u1","before":200}"#, "inf"), ("no revocation", Scene.later), (Scene.member(jti: "t2"), "soon"),
        ])
        #expect(try await self.scene.counts() == [2, 2])
        #expect(try await self.scene.refusals(jti: "t1") == [Scene.revoked, Scene.revoked])
        for jti in ["over", "t2"] { #expect(try await self.scene.refusals(jti: jti) == [nil, nil]) }
        #expect(try await self.scene.refusals(sub: "u1", issuedAt: 199) == [Scene.revoked, Scene.revoked])
        #expect(try await self.scene.refusals(sub: "u1", issuedAt: nil) == [Scene.revoked, Scene.revoked])
        #expect(try await self.scene.refusals(sub: "u1", issuedAt: 200) == [nil, nil])
        #expect(self.scene.status.report?.malformed == 2)
    }

    @Test(arguments: [
        RESP.error("ERR no"), .null, .array([]), .array([.bulk("0")]), .array([.integer(0), .array([])]),
        .array([.bulk("0"), .bulk("")]),
    ])
    func loadThatFailsIsTriedAgain(reply: RESP) async throws {
        self.scene.server.set(.hold, for: "ZSCAN")
        try await self.scene.start()
        try await self.scene.server.next("ZSCAN").answer(reply)
        let again = try await self.scene.server.next("ZSCAN")
        #expect(again.text[2] == "0")
        #expect(try await self.scene.refusals() == [.revocationsUnknown, .revocationsUnknown])
        again.answer(Self.page("0", []))
        try self.scene.waitForLoad()
        #expect(try await self.scene.refusals() == [nil, nil])
    }

    // MARK: - Messages

    @Test func messageCountsAtOnceOnEveryLoop() async throws {
        try await self.scene.start(with: [])
        #expect(try await self.scene.refusals(jti: "t1") == [nil, nil])
        self.scene.server.publish(Scene.member(jti: "t1"))
        self.scene.server.publish(#"{"sub":"u1","before":200}"#)
        try self.scene.waitForMessages()
        #expect(try await self.scene.refusals(jti: "t1") == [Scene.revoked, Scene.revoked])
        #expect(try await self.scene.refusals(sub: "u1") == [Scene.revoked, Scene.revoked])
        #expect(try await self.scene.refusals() == [nil, nil])
        #expect(self.scene.status.report?.malformed == 1)
    }

    @Test func messageDuringALoadOutlivesIt() async throws {
        self.scene.server.set(.hold, for: "ZSCAN")
        try await self.scene.start()
        let scan = try await self.scene.server.next("ZSCAN")
        self.scene.server.publish(Scene.member(jti: "t1"))
        try self.scene.waitForMessages()
        #expect(try await self.scene.counts() == [1, 1], "it counts before the load is over")
        scan.answer(Self.page("0", ["t2"]))
        try self.scene.waitForLoad()
        for jti in ["t1", "t2"] {
            #expect(try await self.scene.refusals(jti: jti) == [Scene.revoked, Scene.revoked])
        }
    }

    // MARK: - Outages

    @Test func lastKnownSetHoldsDuringAnOutage() async throws {
        try await self.scene.start(with: [(Scene.member(jti: "t1"), Scene.later)])
        self.scene.server.setDown(true)
        let line = try self.scene.log.wait(for: Scene.lost)
        #expect(line["reason"]?.string?.contains("127.0.0.1:\(self.scene.server.port)") == true)
        #expect(try await self.scene.refusals(jti: "t1") == [Scene.revoked, Scene.revoked])
        #expect(try await self.scene.refusals() == [nil, nil])
        #expect(self.scene.status.report?.isUp == false)
    }

    @Test func setIsNotKnownAnyMoreWhenPatienceIsOver() async throws {
        let patience = TimeAmount.milliseconds(100)
        let scene = try await RevocationScene(patience: patience)
        try await scene.start(with: [(Scene.member(jti: "t1"), Scene.later)])
        scene.server.setDown(true)
        try scene.log.wait(for: Scene.lost)
        try await scene.pass(patience)
        #expect(try await scene.refusals() == [.revocationsUnknown, .revocationsUnknown])
        // What is known holds all the same.
        #expect(try await scene.refusals(jti: "t1") == [Scene.revoked, Scene.revoked])
    }

    @Test func outageThatEndsInTimeIsNone() async throws {
        let patience = TimeAmount.seconds(2)
        let scene = try await RevocationScene(patience: patience)
        try await scene.start(with: [])
        scene.server.dropSubscribers()
        try scene.log.wait(for: Scene.lost)
        try scene.waitForLoad()
        try await scene.pass(patience)
        #expect(try await scene.refusals() == [nil, nil])
    }

    @Test func setIsLoadedAnewBeforeItIsKnownAgain() async throws {
        let patience = TimeAmount.milliseconds(1)
        let scene = try await RevocationScene(patience: patience)
        try await scene.start(with: [(Scene.member(jti: "gone"), Scene.later)])
        scene.server.set(.hold, for: "ZSCAN")
        scene.server.dropSubscribers()
        try scene.log.wait(for: Scene.lost)
        // The second of them: the first was answered at the start.
        _ = try await scene.server.next("ZSCAN")
        let scan = try await scene.server.next("ZSCAN")
        try await scene.pass(patience)
        // A subscription is not enough.
        #expect(try await scene.refusals() == [.revocationsUnknown, .revocationsUnknown])
        scan.answer(Self.page("0", ["missed"]))
        #expect(try scene.log.wait(for: Scene.loaded)["outage_seconds"] != nil)
        #expect(try await scene.refusals(jti: "missed") == [Scene.revoked, Scene.revoked])
        #expect(try await scene.refusals(jti: "gone") == [nil, nil])
    }

    /// Its set may be older than what was published since.
    @Test func answerToALoadThatWasGivenUpDoesNotCount() async throws {
        self.scene.server.set(.hold, for: "ZSCAN")
        try await self.scene.start()
        let first = try await self.scene.server.next("ZSCAN")
        self.scene.server.dropSubscribers()
        try self.scene.log.wait(for: Scene.lost)
        let second = try await self.scene.server.next("ZSCAN")
        first.answer(Self.page("0", ["old"]))
        second.answer(Self.page("0", ["new"]))
        try self.scene.waitForLoad()
        #expect(try await self.scene.refusals(jti: "old") == [nil, nil])
        #expect(try await self.scene.refusals(jti: "new") == [Scene.revoked, Scene.revoked])
    }

    // MARK: - The end

    @Test func feedThatIsStoppedHearsNothingAndKnowsNothing() async throws {
        try await self.scene.start(with: [(Scene.member(jti: "t1"), Scene.later)])
        #expect(self.scene.status.report != nil)
        try await self.scene.stop()
        self.scene.server.publish(Scene.member(jti: "t2"))
        #expect(self.scene.status.report == nil)
        #expect(try await self.scene.refusals() == [.revocationsUnknown, .revocationsUnknown])
        #expect(try await self.scene.refusals(jti: "t1") == [Scene.revoked, Scene.revoked])
        #expect(try await self.scene.counts() == [1, 1])
    }
}
