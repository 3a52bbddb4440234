import PosternCore

/// `postern explain`: what would happen to a request, and why.
public enum ExplainCommand {
    /// Fetches keys over HTTP where the token's issuer has none in the configuration, and asks an issuer that has to be asked.
    public static func run(path: String, request: ExplainRequest, format: OutputFormat) async -> CommandOutput {
        await Self.run(
            path: path, request: request, format: format, now: SystemClock.unixTime,
            retrieval: { await KeyRetrieval.fetch($0) },
            questions: { await ExplainIntrospection.question($0, $1) })
    }

    static func run(
        path: String, request: ExplainRequest, format: OutputFormat, now: Double, retrieval: ExplainKeys.Retrieval,
        questions: ExplainIntrospection.Retrieval = { _, _ in .failure("nobody was asked") }
    ) async -> CommandOutput {
        let snapshot: Snapshot
        switch ConfigurationPath.snapshot(path: path) {
        case .failure(let problem): return problem.output
        case .success(let loaded): snapshot = loaded
        }
        let explanation = await Self.explanation(
            of: request, by: snapshot, now: now, retrieval: retrieval, questions: questions)
        let text =
            switch format {
            case .text: explanation.text
            case .json: explanation.json.serialized() + "\n"
            }
        return CommandOutput(
            stdout: Self.withoutSecrets(text, request.secrets),
            exitCode: explanation.isAllowed ? ExitStatus.fine : ExitStatus.negative)
    }

    /// What `run` prints as JSON, by a policy that is at hand: the answer of the admin listener's `/explain`.
    static func json(of request: ExplainRequest, by snapshot: Snapshot) async -> String {
        let explanation = await Self.explanation(
            of: request, by: snapshot, now: SystemClock.unixTime,
            retrieval: { await KeyRetrieval.fetch($0) },
            questions: { await ExplainIntrospection.question($0, $1) })
        return Self.withoutSecrets(explanation.json.serialized() + "\n", request.secrets)
    }

    private static func explanation(
        of request: ExplainRequest, by snapshot: Snapshot, now: Double, retrieval: ExplainKeys.Retrieval,
        questions: ExplainIntrospection.Retrieval
    ) async -> Explanation {
        let keys = await ExplainKeys.all(for: request, snapshot: snapshot, retrieval: retrieval)
        let introspection = await ExplainIntrospection.ask(
            for: request, snapshot: snapshot, now: now, retrieval: questions)
        return Explainer.explain(request, snapshot: snapshot, keys: keys, introspection: introspection, now: now)
    }

    /// The last line of defence: wherever a token may have got to, it is not printed. Very short ones are words of the
    /// explanation, and no tokens.
    private static func withoutSecrets(_ text: String, _ secrets: [String]) -> String {
        secrets.filter { $0.utf8.count >= 8 }.reduce(text) { $0.replacing($1, with: "(token)") }
    }
}
