/// A configuration that may be used, and what is odd about it.
public struct LoadedConfiguration: Equatable, Sendable {
    public var configuration: Configuration
    /// All of severity `warning`, in the order of their places.
    public var warnings: [ConfigurationProblem]

    public init(configuration: Configuration, warnings: [ConfigurationProblem]) {
        self.configuration = configuration
        self.warnings = warnings
    }
}

/// Makes a `Configuration` of a YAML document.
public enum ConfigurationLoader {
    /// Validates the whole document. A file with errors yields all of them (and its warnings) at once.
    public static func load(
        _ document: ConfigurationNode, environment: ConfigurationEnvironment
    ) -> Result<LoadedConfiguration, ConfigurationProblems> {
        var decoder = ConfigurationDecoder(environment: environment)
        return decoder.load(document)
    }
}
