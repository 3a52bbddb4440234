public import Logging

/// Everything `postern-issuer run` needs to know, checked.
public struct IssuerConfiguration: Equatable, Sendable {
    /// Development mode: loopback only, the reference clients are there and their secrets are printed.
    public var dev: Bool
    public var listen: ListenAddress
    /// Where metrics and readiness are asked for; nil: nowhere.
    public var adminListen: ListenAddress?
    /// The `iss` of every token and the base of every URL in the metadata. Nil (only with `dev`): the address that is
    /// listened on.
    public var issuer: String?
    /// The `aud` of every token; never empty.
    public var audiences: [String]
    public var store: StoreConfiguration
    /// Whose `X-Forwarded-For` is believed; nobody's by default.
    var trustedProxies = TrustedProxies()
    /// Where revocations are published and rates are counted; nil: nowhere, and in process.
    public var redis: RedisConfiguration?
    public var audit = AuditConfiguration()
    /// After how many seconds a signing key is followed by another; nil: never.
    public var keyAge: Int? = 90 * 86400
    public var logLevel: Logger.Level
    /// Secrets that are wanted for the reference clients instead of the ones derived from the store's key (`dev` only).
    public var devSecrets: [String: String]

    /// Checks options and environment, and reports everything that is wrong at once.
    public static func resolve(
        _ options: IssuerOptions, _ environment: IssuerEnvironment
    ) throws(ConfigurationErrors) -> IssuerConfiguration {
        var reader = OptionReader(options: options, environment: environment)
        let configuration = reader.read()
        guard reader.problems.isEmpty else { throw ConfigurationErrors(problems: reader.problems) }
        return configuration
    }
}

/// All that is wrong with options and environment, one sentence each.
public struct ConfigurationErrors: Error, Equatable, Sendable, CustomStringConvertible {
    public var problems: [String]

    public var description: String {
        self.problems.joined(separator: "\n")
    }
}
