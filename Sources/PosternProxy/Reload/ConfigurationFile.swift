import FoundationEssentials
public import PosternCore

/// Reads proxy.yaml from disk, with the environment and the secret files of this process.
public enum ConfigurationFile {
    /// Bytes that a configuration or a file it names may have.
    public static let sizeLimit = 1 << 20

    /// Loads and checks the file at `path` as `run` and a reload do: the keys it brings must be usable, too.
    ///
    /// - Parameter files: takes note of the files that it names.
    static func loadUsable(
        path: String, noting files: NamedFiles? = nil
    ) -> Result<LoadedConfiguration, ConfigurationProblems> {
        Self.load(path: path, noting: files).flatMap { loaded in
            let problems = KeyCheck.problems(of: loaded.configuration)
            guard problems.contains(where: { $0.severity == .error }) else {
                return .success(
                    LoadedConfiguration(
                        configuration: loaded.configuration,
                        warnings: loaded.warnings + problems))
            }
            return .failure(ConfigurationProblems(loaded.warnings + problems))
        }
    }

    /// Loads and checks the file at `path`. A file that cannot be read is a problem like any other.
    public static func load(path: String) -> Result<LoadedConfiguration, ConfigurationProblems> {
        Self.load(path: path, noting: nil)
    }

    private static func load(
        path: String, noting files: NamedFiles?
    ) -> Result<LoadedConfiguration, ConfigurationProblems> {
        switch Self.read(path) {
        case .failure(let problem):
            let mark = Mark(line: 1, column: 1)
            return .failure(
                ConfigurationProblems([
                    ConfigurationProblem(
                        .error, mark: mark, path: "", message: "the file cannot be read: \(problem.reason)")
                ]))
        case .success(let bytes):
            return Self.load(bytes: bytes, environment: Self.environment(relativeTo: path, noting: files))
        }
    }

    /// Loads and checks a document.
    public static func load(
        bytes: [UInt8], environment: ConfigurationEnvironment
    ) -> Result<LoadedConfiguration, ConfigurationProblems> {
        YAMLReader.read(bytes).flatMap { ConfigurationLoader.load($0, environment: environment) }
    }

    /// This process's environment; relative files are found beside the configuration.
    public static func environment(relativeTo path: String) -> ConfigurationEnvironment {
        Self.environment(relativeTo: path, noting: nil)
    }

    private static func environment(
        relativeTo path: String, noting files: NamedFiles?
    ) -> ConfigurationEnvironment {
        let variables = ProcessInfo.processInfo.environment
        return ConfigurationEnvironment(
            variable: { variables[$0] },
            file: { name in
                files?.note(Self.place(of: name, beside: path))
                return Self.content(of: name, beside: path)
            })
    }

    /// What a file holds that the configuration at `path` names.
    static func content(
        of name: String, beside path: String
    ) -> Result<[UInt8], ConfigurationEnvironment.FileProblem> {
        Self.read(Self.place(of: name, beside: path))
    }

    /// Where a file is that the configuration at `path` names: relative paths begin at its folder.
    static func place(of name: String, beside path: String) -> String {
        guard !name.hasPrefix("/") else { return name }
        let directory = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        return "\(directory)/\(name)"
    }

    private static func read(_ path: String) -> Result<[UInt8], ConfigurationEnvironment.FileProblem> {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            return .failure(.init(reason: "there is no file \(path)"))
        }
        guard !isDirectory else { return .failure(.init(reason: "\(path) is a folder")) }
        guard let data = FileManager.default.contents(atPath: path) else {
            return .failure(.init(reason: "\(path) may not be read by this user"))
        }
        guard data.count <= Self.sizeLimit else {
            return .failure(.init(reason: "\(path) is larger than \(Self.sizeLimit / 1024) KiB"))
        }
        return .success([UInt8](data))
    }
}
