import HTTPTypes
import Hummingbird
import PosternCore
import Testing

@testable import PosternIssuer

@Suite struct PageQueryTests {
    private func page(_ query: String) throws -> PageQuery {
        let head = HTTPRequest(method: .get, scheme: "http", authority: "issuer.test", path: "/list" + query)
        return try PageQuery(Request(head: head, body: .init(buffer: .init())))
    }

    @Test(
        "A part of a list is asked for",
        arguments: [
            ("", 100, nil), ("?limit=1", 1, nil), ("?limit=500&after=a", 500, "a"), ("?after=", 100, nil),
            ("?after=a%2Db&other=1", 100, "a-b"),
        ] as [(String, Int, String?)])
    func reads(_ query: String, _ limit: Int, _ after: String?) throws {
        let page = try self.page(query)
        #expect(page.limit == limit && page.after == after)
    }

    @Test(
        "What is no part of a list is refused",
        arguments: [
            ("?limit=0", "limit"), ("?limit=501", "limit"), ("?limit=-1", "limit"), ("?limit=", "limit"),
            ("?limit=1.0", "limit"), ("?limit=99999999999999999999", "limit"), ("?limit=1&limit=2", "limit"),
            ("?after=a&after=b", "after"), ("?after=\(String(repeating: "a", count: 257))", "after"),
        ])
    func refuses(_ query: String, _ field: String) {
        let problem = #expect(throws: Problem.self) { try self.page(query) }
        #expect(problem?.status == .unprocessableContent)
        #expect(problem?.errors.map { $0["field"]?.string } == [field])
    }
}
