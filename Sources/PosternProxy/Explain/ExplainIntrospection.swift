import Logging
import NIOCore
import NIOPosix
import PosternCore
import PosternCrypto

/// What the issuers that have to be asked say of a request's token, as far as `explain` has asked them: now, and neither the
/// cache nor Redis.
struct ExplainIntrospection: Sendable {
    var facts: [String] = []
    var verdict = IntrospectionVerdict.unavailable(deniedBy: [])

    /// Asks one issuer about a token.
    typealias Retrieval = @Sendable (TrustedIssuer, [UInt8]) async -> Said

    /// What one issuer says.
    enum Said: Sendable {
        case answer(IntrospectionEndpoint.Answer)
        /// Why there is no answer.
        case failure(String)
    }

    /// Nil where no issuer has to be asked.
    static func ask(
        for request: ExplainRequest, snapshot: Snapshot, now: Double, retrieval: Retrieval
    ) async -> ExplainIntrospection? {
        if case .claims = request.caller { return nil }
        // Which secret counts, if any, is for the stages to say; a request with several is refused there.
        guard let token = request.secrets.first.map({ Array($0.utf8) }),
            case .introspect(let indices) = IssuerChoice.choose(token.span.bytes, among: snapshot.candidates)
        else { return nil }
        var result = ExplainIntrospection()
        var anyFailed = false
        for index in indices {
            let issuer = snapshot.issuers[index]
            switch await retrieval(issuer, token) {
            case .answer(.active(let claims)):
                result.facts.append("\(issuer.rules.name) was asked and calls the token active")
                result.verdict = issuer.verdict(
                    on: claims, fetchedAt: now, source: .issuer, token: token, now: now)
                return result
            case .answer(.inactive):
                result.facts.append("\(issuer.rules.name) was asked and calls the token inactive")
            case .answer(.failed):
                anyFailed = true
                result.facts.append("\(issuer.rules.name) could not be asked")
            case .failure(let reason):
                anyFailed = true
                result.facts.append("\(issuer.rules.name) could not be asked: \(reason)")
            }
        }
        result.verdict =
            anyFailed ? .unavailable(deniedBy: []) : .rejected(.inactive, until: now, source: .issuer)
        return result
    }

    /// Asks as the proxy does.
    static func question(_ issuer: TrustedIssuer, _ token: [UInt8]) async -> Said {
        let group = NIOSingletons.posixEventLoopGroup
        let eventLoop = group.next()
        let silent = Logger(label: "explain") { _ in SwiftLogNoOpLogHandler() }
        guard let endpoint = IntrospectionEndpoint(issuer, eventLoop: eventLoop, group: group, logger: silent) else {
            return .failure("its introspection is not usable")
        }
        defer { endpoint.stop() }
        let (_, answer, reason) = await endpoint.question(token, on: eventLoop)
        if case .failed = answer { return .failure(reason) }
        return .answer(answer)
    }
}
