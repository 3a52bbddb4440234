import Testing

@testable import PosternProxy

@Suite struct RouteLabelsTests {
    @Test func labelsOfNoRouteAreThereFromTheStart() {
        let labels = RouteLabels()
        #expect(labels.names == ["none", "default"])
        #expect(labels.number(of: "none") == RouteLabels.none)
        #expect(labels.number(of: "default") == RouteLabels.fallback)
        #expect(labels.names.count == 2)
    }

    @Test func labelKeepsItsNumberForEver() {
        let labels = RouteLabels()
        let first = ["GET /a", "GET /b", "POST /a"].map(labels.number(of:))
        let second = ["POST /a", "GET /c", "GET /a"].map(labels.number(of:))
        #expect(first == [2, 3, 4])
        #expect(second == [4, 5, 2])
        #expect(labels.names == ["none", "default", "GET /a", "GET /b", "POST /a", "GET /c"])
    }

    @Test func numbersAreGivenOnceWhoeverAsks() async {
        let labels = RouteLabels()
        let names = (0..<100).map { "GET /\($0)" }
        let answers = await withTaskGroup(of: [Int].self, returning: [[Int]].self) { group in
            for shift in 0..<8 {
                group.addTask {
                    let asked = names[(shift * 10)...] + names[..<(shift * 10)]
                    let numbers = Dictionary(uniqueKeysWithValues: asked.map { ($0, labels.number(of: $0)) })
                    return names.compactMap { numbers[$0] }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 8)
        #expect(Set(answers).count == 1)
        #expect(Set(answers[0]) == Set(2..<102))
        #expect(labels.names.count == 102)
    }
}
