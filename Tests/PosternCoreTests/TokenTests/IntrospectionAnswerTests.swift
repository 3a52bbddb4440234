import PosternCore
import Testing

@Suite("Introspection answers")
struct IntrospectionAnswerTests {
    private func read(
        _ text: String, _ dialect: IntrospectionDialect = .rfc7662
    ) -> Result<IntrospectionAnswer, IntrospectionProblem> {
        do throws(IntrospectionProblem) {
            return .success(try IntrospectionAnswer.read(Array(text.utf8).span.bytes, dialect: dialect))
        } catch {
            return .failure(error)
        }
    }

    private func claims(_ text: String) throws -> JSONValue {
        try JSONReader.parse(Array(text.utf8).span.bytes)
    }

    @Test func activeAnswerIsKeptWhole() throws {
        let text = #" {"active":true,"sub":"u","scope":"a b","valid":false} "#
        #expect(self.read(text) == .success(.active(try self.claims(text))))
        #expect(self.read(text, .hecate) == .success(.inactive))
        let other = #"{"valid":true,"user_id":7,"active":false,"permissions":["x"]}"#
        #expect(self.read(other, .hecate) == .success(.active(try self.claims(other))))
        #expect(self.read(other) == .success(.inactive))
    }

    @Test(arguments: [#"{"active":false}"#, #"{"sub":"u","active":false,"exp":"odd"}"#])
    func inactiveAnswer(_ text: String) {
        #expect(self.read(text) == .success(.inactive))
        #expect(self.read(text, .hecate) == .failure(.noVerdict(member: "valid")))
    }

    @Test(arguments: [
        "{}", #"{"active":"true"}"#, #"{"active":1}"#, #"{"active":null}"#, #"{"active":[true]}"#, #"{"Active":true}"#,
        #"{"valid":true}"#, #"{"result":{"active":true}}"#,
    ])
    func onlyTrueAndFalseAreVerdicts(_ text: String) {
        #expect(self.read(text) == .failure(.noVerdict(member: "active")))
    }

    @Test(arguments: ["true", "null", "[]", #"[{"active":true}]"#, #""active""#])
    func onlyAnObjectIsAnAnswer(_ text: String) {
        #expect(self.read(text) == .failure(.notAnObject))
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd, 0), ("<html>", .unexpectedByte, 0), (#"{"active":true"#, .unexpectedEnd, 14),
            (#"{"active":true,"active":true}"#, .duplicateMember, 23),
            (#"{"active":false,"active":true}"#, .duplicateMember, 24),
            (#"{"active":true}{}"#, .trailingBytes, 15), ("active=true", .unexpectedByte, 0),
            (#"{"active":true,"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["#, .tooDeep, 50),
        ] as [(String, JSONProblem.Kind, Int)])
    func anythingButStrictJSONIsNoAnswer(_ text: String, _ kind: JSONProblem.Kind, _ offset: Int) {
        guard case .failure(.json(let problem)) = self.read(text) else {
            Issue.record("not refused as JSON")
            return
        }
        #expect(problem.kind == kind)
        #expect(problem.offset == offset)
    }

    @Test func answerHasALargestLength() {
        let frame = #"{"active":true,"a":""}"#.utf8.count
        func answer(_ count: Int) -> String {
            #"{"active":true,"a":"\#(String(repeating: "x", count: count - frame))"}"#
        }
        guard case .success(.active) = self.read(answer(IntrospectionAnswer.maximumLength)) else {
            Issue.record("the longest answer is not read")
            return
        }
        #expect(self.read(answer(IntrospectionAnswer.maximumLength + 1)) == .failure(.tooLong))
    }

    @Test func problemsNameNothingOfTheAnswer() {
        for text in ["hunter2", #"["hunter2"]"#, #"{"hunter2":"hunter2"}"#, #"{"active":"hunter2"}"#, "{\"hunter2"] {
            guard case .failure(let problem) = self.read(text) else {
                Issue.record("\(text) is an answer")
                continue
            }
            #expect(!problem.description.contains("hunter2"))
            #expect(problem.description.hasPrefix("the answer "))
        }
    }
}
