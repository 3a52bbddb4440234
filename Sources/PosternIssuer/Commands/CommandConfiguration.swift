import Logging

/// What a command needs of the configuration of the server.
extension IssuerConfiguration {
    /// Checks options and environment as far as the command needs them, and reports everything that is wrong at once.
    public static func resolve(
        _ options: IssuerOptions, _ environment: IssuerEnvironment, for command: IssuerCommand
    ) throws(ConfigurationErrors) -> IssuerConfiguration {
        var reader = OptionReader(options: options, environment: environment)
        let configuration = reader.read(for: command)
        guard reader.problems.isEmpty else { throw ConfigurationErrors(problems: reader.problems) }
        return configuration
    }
}

extension OptionReader {
    /// The configuration; meaningless if `problems` is not empty afterwards.
    fileprivate mutating func read(for command: IssuerCommand) -> IssuerConfiguration {
        var configuration = IssuerConfiguration(
            dev: false, listen: ListenAddress(host: "127.0.0.1", port: 0),
            issuer: command.signs ? self.issuer(dev: false) : nil,
            audiences: command.signs ? self.audiences(dev: false) : [], store: self.readStore(),
            redis: command.revokes ? self.redis() : nil, logLevel: .warning, devSecrets: [:])
        // The lines go where the server's go, if that is a file: standard output has the answer.
        configuration.audit = self.audit()
        return configuration
    }
}
