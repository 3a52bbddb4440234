import PosternCore
import Testing

@Suite("Cache entries")
struct CacheEntryTests {
    private static let time: [UInt8] = [0x41, 0xDA, 0x39, 0xDE, 0x00, 0x20, 0, 0]  // 1760000000.5

    private func entry(_ claims: String) throws -> CacheEntry {
        .active(claims: try JSONReader.parse(Array(claims.utf8).span.bytes), fetchedAt: 1_760_000_000.5)
    }

    @Test func octets() throws {
        #expect(CacheEntry.negative(fetchedAt: 1_760_000_000.5).serialized == [1, 0] + Self.time)
        #expect(try self.entry(#"{"a":1.50}"#).serialized == [1, 1] + Self.time + Array(#"{"a":1.50}"#.utf8))
    }

    @Test(arguments: [
        "{}", #"{"active":true,"exp":1760000000.25,"scope":"a b"}"#,
        #"{"big":123456789012345678901234567890,"e":1e-7}"#,
        "{\"a\\u0000\":[null,true,{\"\\\"\":\"\\n\u{E9}\u{1F600}\"}]}",
    ])
    func whatIsWrittenIsReadAgain(_ claims: String) throws {
        let entry = try self.entry(claims)
        #expect(CacheEntry(serialized: try #require(entry.serialized)) == entry)
        #expect(entry.fetchedAt == 1_760_000_000.5)
        for time in [0, 1e-300, 1_760_000_000.123, ClaimRules.latestDate] {
            let negative = CacheEntry.negative(fetchedAt: time)
            #expect(CacheEntry(serialized: try #require(negative.serialized)) == negative)
            #expect(negative.fetchedAt == time)
        }
    }

    @Test func anythingElseIsNoEntry() {
        let claims = Array(#"{"a":1}"#.utf8)
        let good = [1, 1] + Self.time + claims
        #expect(CacheEntry(serialized: good) != nil)
        for length in 0..<good.count { #expect(CacheEntry(serialized: Array(good.prefix(length))) == nil) }
        for version in 0...255 as ClosedRange<UInt8> where version != 1 {
            #expect(CacheEntry(serialized: [version, 1] + Self.time + claims) == nil)
        }
        for kind in 2...255 as ClosedRange<UInt8> {
            #expect(CacheEntry(serialized: [1, kind] + Self.time + claims) == nil)
            #expect(CacheEntry(serialized: [1, kind] + Self.time) == nil)
        }
        for rest in ["", "x", "[]", "true", "{}{}", #"{"a":1,"a":1}"#, "{\"a\":\"\u{0}\"}", "{} \u{0}"] {
            #expect(CacheEntry(serialized: [1, 1] + Self.time + Array(rest.utf8)) == nil)
        }
        #expect(CacheEntry(serialized: [1, 0] + Self.time + [0]) == nil)
        #expect(CacheEntry(serialized: [1, 0] + Self.time + claims) == nil)
    }

    @Test(arguments: [.nan, .infinity, -.infinity, -1, 1e12, .signalingNaN] as [Double])
    func timeThatIsNoneMakesNoEntry(_ time: Double) {
        #expect(CacheEntry.negative(fetchedAt: time).serialized.flatMap { CacheEntry(serialized: $0) } == nil)
    }

    @Test func entryHasALargestLength() throws {
        let frame = 10 + #"{"a":""}"#.utf8.count
        func entry(_ count: Int) throws -> CacheEntry {
            try self.entry(#"{"a":"\#(String(repeating: "x", count: count - frame))"}"#)
        }
        let longest = try #require(try entry(CacheEntry.maximumLength).serialized)
        #expect(longest.count == CacheEntry.maximumLength)
        #expect(CacheEntry(serialized: longest) != nil)
        #expect(try entry(CacheEntry.maximumLength + 1).serialized == nil)
        // White space is the same JSON, and too much of it.
        #expect(CacheEntry(serialized: longest + [0x20]) == nil)
    }
}
