import PosternCrypto
import Testing

@Suite("Random identifiers")
struct RandomIdentifiersTests {
    @Test("Each has sixteen octets and is given once, also beyond one draw and by many tasks at once")
    func unique() async {
        let identifiers = RandomIdentifiers()
        let found = await withTaskGroup(of: [[UInt8]].self) { group in
            for _ in 0..<4 {
                group.addTask { (0..<250).map { _ in identifiers.next() } }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(found.allSatisfy { $0.count == 16 })
        #expect(Set(found).count == 1000)
    }
}
