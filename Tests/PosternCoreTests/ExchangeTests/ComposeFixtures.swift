import PosternCore
import Testing

/// What the composition of an upstream head is made with; the defaults are a permitted caller with two identity lines.
struct Composition {
    var target = TargetOptions()
    var identityHeaders = IdentityHeader.defaults
    var principal: Principal? = Principal(
        issuer: "permiso", user: "u-1", scopes: ["trade:read", "trade:open"], expiresAt: 4_000_000_000)
    var forwardToken = false
    var upgrade: ProtocolSwitch?
    var address = "10.0.0.7"
    var scheme: StaticString = "http"
    var isTrusted = false
    var seed: UInt64 = 1

    /// A composed head, and whether the client had sent identity.
    struct Result {
        var text: String
        var spoofed: Bool
        var requestID: String
        var traceID: String
        var lines: [String] { self.text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Reads `head`, checks its target and composes what the upstream gets.
    func compose(_ bytes: [UInt8]) throws -> Result? {
        guard let read = try readRequest(bytes) else { return nil }
        let target = try CheckedTarget.check(bytes.span.bytes, read.head.target, options: self.target)
        let gate = try openGate(identity: self.identityHeaders)
        let permit = try #require(gate.policy.permitOpen(route: PolicyCatalogue.undeclared))
        var token: VerifiedToken?
        if let principal { token = try gate.verifiedToken(for: principal).get() }
        var identifiers = Identifiers(random: IdentifierSource(seed: self.seed, self.seed))
        identifiers.assign(bytes.span.bytes, read.head)
        var output: [UInt8] = []
        let spoofed = UpstreamHead.compose(
            bytes.span.bytes, read.head, target, permit: permit, token: token, identity: gate.identity,
            forwardToken: self.forwardToken,
            client: ClientFacts(address: Array(self.address.utf8), scheme: self.scheme), isTrusted: self.isTrusted,
            upgrade: self.upgrade,
            identifiers: &identifiers, into: &output)
        return Result(
            text: String(decoding: output, as: UTF8.self), spoofed: spoofed,
            requestID: String(decoding: identifiers.requestID, as: UTF8.self),
            traceID: String(decoding: identifiers.traceID, as: UTF8.self))
    }

    func compose(_ text: String) throws -> Result {
        try #require(try self.compose(Array(text.utf8)))
    }
}

/// A gate without routes that lets everything through.
func openGate(identity: [IdentityHeader] = IdentityHeader.defaults) throws -> Gate {
    let rules = RouteRules(label: "default", responseTimeout: 1, bodyLimit: nil, forwardToken: false, upstream: 0)
    return Gate(
        target: TargetOptions(), tokenLimit: 8192, routes: try RouteTable([]),
        policy: PolicyCatalogue([], default: .open), rules: [], fallback: rules,
        identity: IdentityRules(headers: identity), generation: 1)
}

/// Ids that are kept, so that a composed head is the same in every run.
let keptIDs = [
    "X-Request-Id: r.1-A_b", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
]
