/// What `cors` of proxy.yaml says where the proxy itself answers preflights: which pages may call, and how.
public struct CrossOriginRules: Equatable, Sendable {
    /// Each as a browser writes it: `scheme://host[:port]` in lower case, without the scheme's own port; or `null`. Or
    /// `*` alone: every origin.
    public var origins: [String]
    /// Empty: those that the routes declare for the path.
    public var methods: [String]
    /// Empty: those that are asked for.
    public var headers: [String]
    /// What pages may read besides `CrossOrigin.exposed`.
    public var expose: [String]
    /// How long a browser may keep the answer to a preflight, in seconds.
    public var maxAge: Int64
    /// Whether browsers send cookies along, and show the answer to the page all the same.
    public var credentials: Bool

    /// The origin that stands for all.
    public static let anyOrigin = "*"

    public init(
        origins: [String], methods: [String] = [], headers: [String] = [], expose: [String] = [], maxAge: Int64 = 600,
        credentials: Bool = false
    ) {
        self.origins = origins
        self.methods = methods
        self.headers = headers
        self.expose = expose
        self.maxAge = maxAge
        self.credentials = credentials
    }

    public var allowsAnyOrigin: Bool { self.origins == [Self.anyOrigin] }
}
