import Testing

@testable import PosternRedis

@Suite struct RedisGreetingTests {
    private static let address = RedisAddress(host: "h", port: 1)

    private func commands(_ settings: RedisSettings, mustBeMaster: Bool = false) -> [[String]] {
        RedisGreeting(settings, mustBeMaster: mustBeMaster).steps.map { step in
            step.command.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    @Test func itSaysOnlyWhatIsNeeded() {
        #expect(self.commands(RedisSettings(topology: .single(Self.address))) == [["PING"]])
        let password = RedisSettings(topology: .single(Self.address), password: bytes("p w"), database: 3)
        #expect(self.commands(password) == [["AUTH", "p w"], ["SELECT", "3"], ["PING"]])
        let user = RedisSettings(topology: .single(Self.address), user: "u", password: bytes("p"))
        #expect(self.commands(user, mustBeMaster: true) == [["AUTH", "u", "p"], ["ROLE"]])
    }

    @Test func everyStepHasOneRightAnswer() {
        let settings = RedisSettings(topology: .single(Self.address), password: bytes("p"))
        let ping = RedisGreeting(settings, mustBeMaster: false).steps
        let role = RedisGreeting(settings, mustBeMaster: true).steps
        #expect(ping[0].problem(with: .status("OK")) == nil)
        #expect(ping[0].problem(with: .status("PONG")) == "AUTH was answered strangely")
        #expect(ping[1].problem(with: .status("PONG")) == nil)
        #expect(ping[1].problem(with: .error("LOADING Redis is loading")) == "PING was refused: LOADING")
        #expect(role[1].problem(with: .array([.string(bytes("master")), .integer(0), .array([])])) == nil)
        #expect(role[1].problem(with: .array([.string(bytes("slave"))])) == "it is no master")
        #expect(role[1].problem(with: .array([])) == "it is no master")
        #expect(role[1].problem(with: .null) == "ROLE was answered strangely")
    }

    @Test(arguments: [
        ("WRONGPASS invalid username-password pair", "WRONGPASS"), ("ERR unknown command `AUTH`, `p`", "ERR"),
        ("hunter2 is wrong", "ERR"), ("", "ERR"), (" NOAUTH", "ERR"), ("NO-AUTH_1", "NO-AUTH_1"),
        (String(repeating: "A", count: 33), "ERR"),
    ])
    func onlyAnErrorsCodeIsSaid(text: String, code: String) {
        #expect(RedisReply.code(ofError: text) == code)
    }

    @Test func thePasswordIsNotDescribed() {
        let settings = RedisSettings(topology: .single(Self.address), user: "u", password: bytes("hunter2"))
        var dumped = ""
        dump(settings, to: &dumped)
        let number = "\(bytes("hunter2"))".dropFirst().dropLast()
        for text in ["\(settings)", String(reflecting: settings), dumped] {
            #expect(!text.contains("hunter2") && !text.contains(number) && !text.contains("104"))
        }
    }

    @Test func anAddressIsWrittenAsInAURL() {
        #expect("\(RedisAddress(host: "a", port: 1))" == "a:1")
        #expect("\(RedisAddress(host: "::1", port: 6379))" == "[::1]:6379")
    }
}
