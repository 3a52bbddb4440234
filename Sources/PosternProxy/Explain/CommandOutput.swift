/// What a command has to say, before anything is written: so that tests see all of it.
public struct CommandOutput: Equatable, Sendable {
    /// The result. Ends with a newline unless empty.
    public var stdout: String
    /// What went wrong. Ends with a newline unless empty.
    public var stderr: String
    public var exitCode: Int32

    public init(stdout: String = "", stderr: String = "", exitCode: Int32 = ExitStatus.fine) {
        self.stdout = stdout
        self.stderr = stderr
        self.exitCode = exitCode
    }

    /// A mistake in the arguments.
    static func usage(_ message: String) -> CommandOutput {
        CommandOutput(stderr: "Error: \(TerminalText.safe(message))\n", exitCode: ExitStatus.usage)
    }
}

/// The exit codes of every command (3-behaviour, Command line); the numbers above 1 are those of `sysexits.h`.
public enum ExitStatus {
    public static let fine: Int32 = 0
    /// The answer is no: denied, not healthy, or warnings under `--strict`.
    public static let negative: Int32 = 1
    /// Arguments that make no sense.
    public static let usage: Int32 = 64
    /// A configuration that cannot be used, or is not there.
    public static let configuration: Int32 = 78
}

/// How a result is written.
public enum OutputFormat: String, Sendable, CaseIterable {
    /// For people.
    case text
    /// For programs: one line with one JSON value.
    case json
}
