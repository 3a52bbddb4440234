/// What the command line said, not yet checked. An option that was not given is looked up in the environment as
/// `POSTERN_ISSUER_` and its name in upper case: `POSTERN_ISSUER_LISTEN`, `POSTERN_ISSUER_KEY_FILE` …
public struct IssuerOptions: Sendable {
    public var dev = false
    public var listen: String?
    public var adminListen: String?
    public var issuer: String?
    public var audience: [String] = []
    public var store: String?
    public var trustedProxies: String?
    public var redis: String?
    public var redisCA: String?
    public var redisKeyPrefix: String?
    public var algorithm: String?
    public var keyFile: String?
    public var keyAge: String?
    public var auditLog: String?
    public var auditRetention: String?
    public var logLevel: String?

    public init() {}
}

/// The environment of the process, as the issuer reads it. A variable that is set to nothing counts as not set.
public struct IssuerEnvironment: Sendable {
    let variables: [String: String]

    public init(_ variables: [String: String]) {
        self.variables = variables
    }

    /// The variable `POSTERN_ISSUER_` + `name`.
    func value(_ name: String) -> String? {
        guard let value = self.variables["POSTERN_ISSUER_" + name], !value.isEmpty else { return nil }
        return value
    }
}
