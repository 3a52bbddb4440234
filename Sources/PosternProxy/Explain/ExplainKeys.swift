import PosternCore
import PosternCrypto

/// The keys of one issuer, as far as `explain` has them.
struct ExplainKeys: Sendable {
    var set: KeySet<PublicKey>
    /// Where they come from, or why there are none.
    var facts: [String]

    /// Gets the keys of an issuer that are not in its configuration.
    typealias Retrieval = @Sendable (Configuration.RemoteKeys) async -> Result<KeySet<PublicKey>, Failure>

    /// Why there are no keys: a sentence.
    struct Failure: Error, Equatable {
        var reason: String
    }

    /// The keys of every issuer, those over HTTP only where the request's token needs them.
    static func all(
        for request: ExplainRequest, snapshot: Snapshot, retrieval: Retrieval
    ) async -> [ExplainKeys] {
        let needed = Self.issuer(of: request, snapshot: snapshot)
        var result: [ExplainKeys] = []
        for (index, issuer) in snapshot.issuers.enumerated() {
            if let keys = issuer.fixedKeys {
                result.append(ExplainKeys(set: keys, facts: [Self.origin(keys, "the configuration")]))
            } else if index == needed, case .keys(.remote(let remote)) = issuer.validation {
                result.append(await Self.fetch(remote, retrieval))
            } else {
                result.append(ExplainKeys(set: KeySet(), facts: []))
            }
        }
        return result
    }

    private static func fetch(_ remote: Configuration.RemoteKeys, _ retrieval: Retrieval) async -> ExplainKeys {
        switch await retrieval(remote) {
        case .success(let keys):
            return ExplainKeys(set: keys, facts: [Self.origin(keys, "the issuer, fetched now")])
        case .failure(let failure):
            return ExplainKeys(set: KeySet(), facts: ["its keys cannot be had: \(failure.reason)"])
        }
    }

    private static func origin(_ keys: KeySet<PublicKey>, _ place: String) -> String {
        "\(TerminalText.count(keys.keys.count, "key")) from \(place)"
    }

    /// The issuer that the request's token names, by index. Only the head of the request is read for this: whether the
    /// token counts at all is for later.
    private static func issuer(of request: ExplainRequest, snapshot: Snapshot) -> Int? {
        if case .claims = request.caller { return nil }
        for secret in request.secrets {
            let bytes = Array(secret.utf8)
            guard let name = (try? CompactToken(bytes.span.bytes))?.issuer else { continue }
            return snapshot.issuers.firstIndex { $0.rules.issuer?.hasSameBytes(as: name) ?? false }
        }
        return nil
    }
}
