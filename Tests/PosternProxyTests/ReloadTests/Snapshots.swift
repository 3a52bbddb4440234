import PosternCore
import Testing

@testable import PosternProxy

/// Makes snapshots of YAML texts.
enum Snapshots {
    /// No variable is set and no file is there.
    static let environment = ConfigurationEnvironment(
        variable: { _ in nil }, file: { _ in .failure(.init(reason: "there is none")) })

    /// - Parameter file: what every file holds; nil: there is none.
    static func configuration(_ text: String, file: String? = nil) throws -> Configuration {
        var environment = Self.environment
        if let file { environment.file = { _ in .success(Array(file.utf8)) } }
        return try ConfigurationFile.load(bytes: Array(text.utf8), environment: environment).get().configuration
    }

    static func make(
        _ text: String, generation: Int = 1, labels: RouteLabels = RouteLabels(), loops: Int = 1
    ) throws -> Snapshot {
        try Snapshot(try Self.configuration(text), generation: generation, labels: labels, loops: loops)
    }
}
