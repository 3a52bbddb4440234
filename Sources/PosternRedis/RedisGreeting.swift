/// What is said on a new connection before it is used, all in one write.
struct RedisGreeting {
    /// The answer that a step must have.
    enum Expectation {
        case ok
        case pong
        /// The answer of a master to `ROLE`.
        case master
    }

    struct Step {
        var name: String
        var command: [[UInt8]]
        var expected: Expectation

        /// What is wrong with a reply, or nil. Only the code of an error is said: its text can repeat the command, and
        /// so the password.
        func problem(with reply: RedisReply) -> String? {
            switch (self.expected, reply) {
            case (.ok, .status("OK")), (.pong, .status("PONG")):
                return nil
            case (.master, .array(let elements)):
                return elements.first?.text == "master" ? nil : "it is no master"
            case (_, .error(let text)):
                return "\(self.name) was refused: \(RedisReply.code(ofError: text))"
            default:
                return "\(self.name) was answered strangely"
            }
        }
    }

    var steps: [Step]

    /// For sentinels: nothing.
    static let none = RedisGreeting(steps: [])

    /// `AUTH` if there is a password, `SELECT` if it is not database 0, then a `PING`; or a `ROLE`, if it must be a
    /// master.
    init(_ settings: RedisSettings, mustBeMaster: Bool) {
        var steps: [Step] = []
        if let password = settings.password {
            let user = settings.user.map { [Array($0.utf8)] } ?? []
            steps.append(Step(name: "AUTH", command: [Array("AUTH".utf8)] + user + [password], expected: .ok))
        }
        if settings.database != 0 {
            let number = Array(String(settings.database).utf8)
            steps.append(Step(name: "SELECT", command: [Array("SELECT".utf8), number], expected: .ok))
        }
        let name = mustBeMaster ? "ROLE" : "PING"
        steps.append(Step(name: name, command: [Array(name.utf8)], expected: mustBeMaster ? .master : .pong))
        self.steps = steps
    }

    init(steps: [Step]) {
        self.steps = steps
    }
}
