import PosternCore

// An explanation for people: one block a stage, then what the service or the client gets.
extension Explanation {
    private static let stageWidth = 12
    private static let outcomeWidth = 9

    var text: String {
        var lines = ["\(self.method) \(self.path)", ""]
        for step in self.steps { lines += Self.lines(step) }
        lines.append("")
        lines += self.ending
        return lines.map { TerminalText.safe($0) + "\n" }.joined()
    }

    private static func lines(_ step: Step) -> [String] {
        let outcome =
            switch step.outcome {
            case .passed: "ok"
            case .refused: "REFUSED"
            case .notNeeded, .notReached: "-"
            }
        var facts = step.conditions.map { condition in
            let mark = condition.byAdmin ? "[admin]" : condition.held ? "[held]" : "[MISSING]"
            return "\(TerminalText.padded(mark, to: 10))\(condition.text)"
        }
        facts += step.facts
        switch step.outcome {
        case .notReached: facts = ["not reached"]
        case .notNeeded where facts.isEmpty: facts = ["not needed"]
        default: break
        }
        return facts.enumerated().map { index, fact in
            let stage = index == 0 ? step.stage.rawValue : ""
            let word = index == 0 ? outcome : ""
            return "  " + TerminalText.padded(stage, to: Self.stageWidth)
                + TerminalText.padded(word, to: Self.outcomeWidth) + fact
        }
    }

    private var ending: [String] {
        if let forwarded {
            let head = ([forwarded.requestLine] + forwarded.headers).map { "    \($0)" }
            return ["Allowed: \(forwarded.upstream) gets", ""] + head
        }
        if let answered {
            let word = answered.isAllowed ? "Answered by the proxy" : "Denied to the browser"
            return ["\(word): \(answered.status)", ""] + answered.headers.map { "    \($0)" }
        }
        guard let refusal else { return [] }
        let isCall = self.answerHeaders.contains { $0.hasPrefix("grpc-status:") }
        let how = isCall ? ", told to the gRPC client by a trailers-only answer" : ""
        var lines = ["Denied: \(refusal.code.status) \(refusal.code.rawValue)\(how)", "", "    \(refusal.detail)"]
        lines += self.answerHeaders.map { "    \($0)" }
        if let required = self.problem?["required"] { lines.append("    required: \(required.serialized())") }
        return lines
    }
}
