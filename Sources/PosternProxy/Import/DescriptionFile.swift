import PosternCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads a service's OpenAPI document: JSON, or YAML.
public enum DescriptionFile {
    /// The name that stands for standard input.
    public static let standardInput = "-"

    /// - Parameters:
    ///   - path: a file, or `standardInput`.
    ///   - basePath: what stands before every path, in place of what the document's servers say.
    static func load(path: String, basePath: String?) -> Result<ServiceDescription, ConfigurationProblems> {
        switch Self.bytes(path: path) {
        case .failure(let problem):
            let problem = ConfigurationProblem(
                mark: Mark(line: 1, column: 1), path: "", message: "the document cannot be read: \(problem.reason)")
            return .failure(ConfigurationProblems([problem]))
        case .success(let bytes):
            return Self.tree(bytes).flatMap { ServiceDescription.read($0, basePath: basePath) }
        }
    }

    /// What begins as a JSON object is JSON; everything else is YAML.
    static func tree(_ bytes: [UInt8]) -> Result<ConfigurationNode, ConfigurationProblems> {
        guard Self.isJSON(bytes) else { return YAMLReader.read(bytes, limits: .description) }
        return MarkedJSON.read(
            bytes, maximumDepth: ServiceDescription.maximumDepth, maximumNodes: ServiceDescription.maximumNodes)
    }

    private static func isJSON(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        rest = rest.drop { $0.isJSONSpace }
        guard rest.popFirst() == UInt8(ascii: "{") else { return false }
        let next = rest.first { !$0.isJSONSpace }
        return next == UInt8(ascii: "\"") || next == UInt8(ascii: "}")
    }

    /// The document's path for messages.
    static func name(of path: String) -> String {
        path == Self.standardInput ? "standard input" : path
    }

    // MARK: - Bytes

    private static func bytes(path: String) -> Result<[UInt8], ConfigurationEnvironment.FileProblem> {
        guard path != Self.standardInput else { return Self.bytes(descriptor: STDIN_FILENO, name: "standard input") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno == ENOENT ? "there is no file \(path)" : "\(path): \(String(cString: strerror(errno)))"
            return .failure(.init(reason: reason))
        }
        defer { close(descriptor) }
        return Self.bytes(descriptor: descriptor, name: path)
    }

    /// Everything up to the end, from a file or a pipe, never more than a document may have.
    private static func bytes(
        descriptor: Int32, name: String
    ) -> Result<[UInt8], ConfigurationEnvironment.FileProblem> {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= ServiceDescription.maximumSize {
            // The system call takes a pointer; it does not leave the closure.
            let count = part.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return .failure(.init(reason: "\(name): \(String(cString: strerror(errno)))")) }
            guard count > 0 else { return .success(bytes) }
            bytes += part[..<count]
        }
        return .failure(.init(reason: "\(name) is larger than \(ServiceDescription.maximumSize >> 20) MiB"))
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}
