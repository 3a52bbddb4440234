/// Which issuer decides on a token (2-configuration, "Which issuer").
public enum IssuerChoice: Equatable, Sendable {
    /// This issuer, with its keys; the token is taken apart already.
    case local(Int, CompactToken)
    /// These issuers are asked in this order: the first that calls the token active decides. Never empty.
    case introspect([Int])
    /// No issuer is responsible.
    case refused(TokenProblem)

    /// What the choice has to know of one issuer.
    public struct Candidate: Equatable, Sendable {
        /// The exact `iss`; nil: an introspection issuer that takes any token.
        public var issuer: String?
        public var isIntrospected: Bool

        public init(issuer: String?, isIntrospected: Bool) {
            self.issuer = issuer
            self.isIntrospected = isIntrospected
        }
    }

    /// A JWT goes to the issuer that its `iss` names and to no other, however that one validates. Anything else, which
    /// includes a JWT of nobody known and what only looks like a JWT, goes to the introspection issuers without `iss`.
    /// - Parameters:
    ///   - bytes: Exactly the token; nothing in it has been verified.
    ///   - candidates: By issuer index, in the order of the file.
    public static func choose(_ bytes: RawSpan, among candidates: [Candidate]) -> IssuerChoice {
        let problem: TokenProblem
        do throws(TokenProblem) {
            let token = try CompactToken(bytes)
            if let name = token.issuer, let index = Self.index(of: name, in: candidates) {
                return candidates[index].isIntrospected ? .introspect([index]) : .local(index, token)
            }
            problem = .unknownIssuer
        } catch {
            problem = error
            // What cannot be accepted as a JWT may still name its issuer: then it is that one's, and nobody else's.
            if let name = Self.issuer(namedIn: bytes), let index = Self.index(of: name, in: candidates) {
                return candidates[index].isIntrospected ? .introspect([index]) : .refused(error)
            }
        }
        let open = candidates.indices.filter { candidates[$0].isIntrospected && candidates[$0].issuer == nil }
        return open.isEmpty ? .refused(problem) : .introspect(open)
    }

    /// The `iss` of three parts of which the second is base64url of a JSON object, whatever the others are.
    private static func issuer(namedIn bytes: RawSpan) -> String? {
        var dots: [Int] = []
        for offset in 0..<bytes.byteCount where bytes.byte(offset) == UInt8(ascii: ".") { dots.append(offset) }
        guard dots.count == 2, let octets = Base64URL.decode(bytes.extracting(dots[0] + 1..<dots[1])),
            let claims = try? JSONReader.parse(octets.span.bytes)
        else { return nil }
        return claims["iss"]?.string
    }

    private static func index(of name: String, in candidates: [Candidate]) -> Int? {
        candidates.firstIndex { $0.issuer?.hasSameBytes(as: name) ?? false }
    }
}
