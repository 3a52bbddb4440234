/// Why a route's key cannot be used. `message` says what is wrong and what to write instead.
public struct RoutePatternProblem: Error, Equatable, Sendable {
    public var message: String

    public init(_ message: String) {
        self.message = message
    }
}
