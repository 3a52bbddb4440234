import Testing

@testable import PosternRedis

@Suite struct HashSlotTests {
    @Test func theSumIsXMODEM() {
        #expect(HashSlot.crc(bytes("123456789")[...]) == 0x31C3)
        #expect(HashSlot.crc([]) == 0)
    }

    /// As `CLUSTER KEYSLOT` of Redis 7 says.
    @Test(arguments: [
        ("", 0), ("foo", 12182), ("bar", 5061), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("foo{bar}{zap}", 5061),
        ("{user1000}.following", 3443), ("a}{b}", 3300), ("x{y", 2740), ("postern:0123456789abcdef", 11876),
    ])
    func slotsAreThoseOfRedis(key: String, slot: Int) {
        #expect(HashSlot.of(bytes(key)) == slot)
    }

    @Test func aTagKeepsKeysTogether() {
        #expect(HashSlot.of(bytes("{user1000}.following")) == HashSlot.of(bytes("user1000")))
        #expect(HashSlot.of(bytes("foo{bar}{zap}")) == HashSlot.of(bytes("bar")))
        #expect(HashSlot.of(bytes("foo{{bar}}zap")) == HashSlot.of(bytes("{bar")))
        #expect(HashSlot.of(bytes("foo{}{bar}")) != HashSlot.of(bytes("bar")))
    }
}

@Suite struct ClusterMapTests {
    private func node(_ host: RedisReply, _ port: Int64) -> RedisReply {
        .array([host, .integer(port), .string(bytes("id")), .array([])])
    }

    private func node(_ host: String, _ port: Int64) -> RedisReply { self.node(.string(bytes(host)), port) }

    private func range(_ first: Int64, _ last: Int64, _ nodes: RedisReply...) -> RedisReply {
        .array([.integer(first), .integer(last)] + nodes)
    }

    private func map(_ ranges: RedisReply...) -> ClusterMap? { ClusterMap(slots: .array(ranges), host: "asked") }

    @Test func theFirstNodeOfARangeIsItsMaster() throws {
        let map = try #require(
            self.map(
                self.range(0, 99, self.node("a", 1), self.node("b", 2)), self.range(100, 100, self.node("c", 3)),
                self.range(200, 16383, self.node("a", 1))))
        let a = RedisAddress(host: "a", port: 1)
        let c = RedisAddress(host: "c", port: 3)
        #expect(map.masters == [a, c])
        #expect(map.nodes == [a, RedisAddress(host: "b", port: 2), c])
        #expect([0, 99, 100, 101, 199, 200, 16383].map(map.master(of:)) == [a, a, c, nil, nil, a, a])
    }

    @Test func anAddressThatTheNodeDoesNotKnowIsThatOfTheNode() throws {
        let map = try #require(self.map(self.range(0, 5, self.node(.null, 1)), self.range(6, 9, self.node("", 2))))
        #expect(map.masters == [RedisAddress(host: "asked", port: 1), RedisAddress(host: "asked", port: 2)])
    }

    @Test func aMasterWithoutAnAddressHasItsSlots() throws {
        let map = try #require(
            self.map(self.range(0, 5, self.node("?", 1), self.node("r", 9)), self.range(6, 9, self.node("b", 2))))
        #expect(map.master(of: 0) == nil)
        #expect(map.masters == [RedisAddress(host: "b", port: 2)])
    }

    @Test func whatIsNoMapIsNone() {
        #expect(self.map() == nil)
        #expect(ClusterMap(slots: .error("ERR unknown"), host: "h") == nil)
        #expect(self.map(.integer(1)) == nil)
        #expect(self.map(self.range(0, 5)) == nil)
        #expect(self.map(self.range(-1, 5, self.node("a", 1))) == nil)
        #expect(self.map(self.range(0, 16384, self.node("a", 1))) == nil)
        #expect(self.map(self.range(5, 4, self.node("a", 1))) == nil)
        #expect(self.map(self.range(0, 5, self.node("a", 0))) == nil)
        #expect(self.map(self.range(0, 5, self.node("a", 65536))) == nil)
        #expect(self.map(self.range(0, 5, .array([.string(bytes("a"))]))) == nil)
    }

    /// More slots than there are would keep the loop busy for as long as the peer likes.
    @Test func slotsThatAreNamedAgainEndIt() {
        let node = self.node("a", 1)
        #expect(self.map(self.range(0, 16383, node)) != nil)
        #expect(self.map(self.range(0, 16383, node), self.range(0, 0, node)) == nil)
    }

    @Test func mastersAreBounded() {
        let ranges = (0..<1_001).map { self.range(Int64($0), Int64($0), self.node("h\($0)", 1)) }
        #expect(ClusterMap(slots: .array(Array(ranges[..<1_000])), host: "h")?.masters.count == 1_000)
        #expect(ClusterMap(slots: .array(ranges), host: "h") == nil)
    }
}

@Suite struct RedirectionTests {
    @Test(arguments: [
        ("MOVED 3999 127.0.0.1:6381", Redirection.Kind.moved, "127.0.0.1", 6381),
        ("ASK 0 name:1", .ask, "name", 1),
        ("MOVED 16383 ::1:6379", .moved, "::1", 6379),
        ("MOVED 1 :6379", .moved, "asked", 6379),
    ])
    func aRedirectionNamesANode(text: String, kind: Redirection.Kind, host: String, port: Int) throws {
        let redirection = try #require(Redirection(error: text, host: "asked"))
        #expect(redirection.kind == kind)
        #expect(redirection.address == RedisAddress(host: host, port: port))
    }

    @Test(arguments: [
        "ERR no", "MOVED", "MOVED 1", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED x a:1", "MOVED 1 a", "MOVED 1 a:0",
        "MOVED 1 a:65536", "MOVED 1 a:b", "MOVED 1 ?:6379", "MOVED 1 a:1 more", "moved 1 a:1", "TRYAGAIN 1 a:1", "",
    ])
    func anythingElseIsNone(text: String) {
        #expect(Redirection(error: text, host: "asked") == nil)
    }
}
