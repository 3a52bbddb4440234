/// Why a principal cannot be told to the service.
public enum IdentityProblem: Error, Equatable, Sendable {
    /// A value holds a control character: the token is invalid (401).
    case controlCharacter
    /// All lines together are longer than `limits.identity`: 403 `identity_too_large`.
    case tooLarge
}
