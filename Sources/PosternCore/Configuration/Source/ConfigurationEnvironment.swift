/// What a configuration may refer to outside of its file. The core reads no environment and no file itself.
public struct ConfigurationEnvironment: Sendable {
    /// Why a file could not be read: a sentence without its path, such as "No such file or directory".
    public struct FileProblem: Error, Equatable, Sendable {
        public var reason: String

        public init(reason: String) {
            self.reason = reason
        }
    }

    /// The value of an environment variable; nil where it is not set.
    public var variable: @Sendable (String) -> String?
    /// The bytes of a file. A relative path is relative to the configuration file.
    public var file: @Sendable (String) -> Result<[UInt8], FileProblem>

    public init(
        variable: @escaping @Sendable (String) -> String?,
        file: @escaping @Sendable (String) -> Result<[UInt8], FileProblem>
    ) {
        self.variable = variable
        self.file = file
    }
}
